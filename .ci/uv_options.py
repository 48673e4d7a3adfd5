"""What pip is told on this machine, in the words of uv; status 1 where uv has none for it.

uv reads none of pip's settings, and would take other builds than pip, or find none.
"""

import ast
import subprocess
import sys

# What decides which files are taken.
SAME = {
    "constraint": "--constraint",
    "extra-index-url": "--extra-index-url",
    "find-links": "--find-links",
    "index-url": "--index-url",
}
# What decides nothing of that.
HOW = {"cache-dir", "cert", "config-file", "default-timeout", "disable-pip-version-check"}
HOW |= {"no-color", "no-input", "no-warn-script-location", "progress-bar", "quiet", "retries"}
HOW |= {"root-user-action", "timeout"}


def options(settings: str) -> list[str]:
    """Options of `uv pip install` for what `pip config list` prints.

    Raises:
        KeyError: For a setting without a counterpart.
    """
    told = []
    for line in settings.splitlines():
        key, _, value = line.partition("=")
        section, _, name = key.rpartition(".")
        if section in ("global", "install", ":env:") and name not in HOW:
            for each in str(ast.literal_eval(value)).split():
                told += [SAME[name], each]
    return told


if __name__ == "__main__":
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "config", "list"]
    listed = subprocess.run(pip, check=True, capture_output=True, text=True)
    try:
        print(*options(listed.stdout))
    except KeyError as unknown:
        sys.exit(f"uv has no counterpart of pip's setting {unknown}")
