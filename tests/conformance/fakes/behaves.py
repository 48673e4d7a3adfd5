"""An importer that does with each graph what its name says here; it reads the others right."""

import os
import sys
import time
from pathlib import Path

import numpy as np
from conformance.plain import TRAPS, outputs

TITLE = "Fake"
PACKAGES = ("numpy", "h5py")
INSTALL = "pip install fake"


def load():
    """Nothing to be loaded."""


def run(path, inputs, dt_s):
    """What the plain reading gives, or what is asked for."""
    name = Path(path).stem
    trap = TRAPS[name]
    assert inputs.dtype == np.float32
    assert dt_s == (trap.dt_ms / 1000 if trap.dt_is_given else None)
    if name == "cuba":
        raise ValueError(f"{path}: this\n  importer refuses it")
    if name == "tie":
        os.abort()
    if name == "if":
        Path(os.environ["FAKE_PID"]).write_text(str(os.getpid()))
        time.sleep(600)
    if name == "order":
        sys.exit(0)
    given = outputs(trap, reset="subtract" if name == "v-reset" else "value")
    return 1.0 - given if name == "nested" else given
