"""Scripts of tests that need a process of their own, as Triton's interpreter does."""

import json
import os
import subprocess
import sys
from pathlib import Path


def printed(script, *words, **environment):
    """What a script of this folder prints as JSON in its last line."""
    path = Path(__file__).with_name(script)
    paths = [str(path.parents[1]), os.environ.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    done = subprocess.run(
        [sys.executable, path, *words],
        env={**os.environ, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])
