"""What pip is told on this machine, in the words of uv; status 1 where it knows none for it.

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
HOW |= {"no-cache-dir", "no-color", "no-input", "no-warn-script-location", "progress-bar"}
HOW |= {"quiet", "require-virtualenv", "retries", "root-user-action", "timeout"}
# As in pip, the later ones win.
SECTIONS = ("global", "install", ":env:")


def options(settings: str) -> list[str]:
    """Options of `uv pip install` for what `pip config list` prints.

    Raises:
        KeyError: For a setting whose counterpart is not known here.
    """
    found: dict[str, dict[str, str]] = {section: {} for section in SECTIONS}
    for line in settings.splitlines():
        key, _, value = line.partition("=")
        section, _, name = key.rpartition(".")
        if section in SECTIONS and name not in HOW:
            found[section][name] = str(ast.literal_eval(value))
    chosen = found["global"] | found["install"] | found[":env:"]
    return [
        word
        for name, value in chosen.items()
        for each in value.split()
        for word in (SAME[name], each)
    ]


if __name__ == "__main__":
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "config", "list"]
    listed = subprocess.run(pip, check=True, capture_output=True, text=True)
    try:
        print(*options(listed.stdout))
    except KeyError as unknown:
        sys.exit(f"uv is not told pip's setting {unknown}, so pip installs")
