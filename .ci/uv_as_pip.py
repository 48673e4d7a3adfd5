"""Run a command of uv with what pip is told on this machine; status 1 where uv has no word for it.

uv reads none of pip's settings, and would take other builds than pip, or find none.
"""

import ast
import os
import subprocess
import sys

# What decides which files are taken, as options of `uv pip install`.
SAME = {
    "constraint": "--constraint",
    "extra-index-url": "--extra-index-url",
    "find-links": "--find-links",
    "index-url": "--index-url",
}
# How a server shows who it is, and this machine to it: for that uv has variables alone.
SHOWN = {"cert": "SSL_CERT_FILE", "client-cert": "SSL_CLIENT_CERT"}
# What decides nothing of that.
HOW = {"cache-dir", "config-file", "default-timeout", "disable-pip-version-check"}
HOW |= {"no-cache-dir", "no-color", "no-input", "no-warn-script-location", "progress-bar"}
HOW |= {"quiet", "require-virtualenv", "retries", "root-user-action", "timeout"}
# As in pip, the later ones win.
SECTIONS = ("global", "install", ":env:")


def winning(settings: str) -> dict[str, str]:
    """The settings that count, of those that `pip config list` prints."""
    found: dict[str, dict[str, str]] = {section: {} for section in SECTIONS}
    for line in settings.splitlines():
        key, _, value = line.partition("=")
        section, _, name = key.rpartition(".")
        if section in SECTIONS and name not in HOW:
            found[section][name] = str(ast.literal_eval(value))
    return found["global"] | found["install"] | found[":env:"]


def options(settings: dict[str, str]) -> list[str]:
    """Settings as options.

    Raises:
        KeyError: For a setting whose counterpart is not known here.
    """
    return [
        word
        for name, value in settings.items()
        if name not in SHOWN
        for each in value.split()
        for word in (SAME[name], each)
    ]


def variables(settings: dict[str, str]) -> dict[str, str]:
    """Settings as variables."""
    return {SHOWN[name]: value for name, value in settings.items() if name in SHOWN}


if __name__ == "__main__":
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "config", "list"]
    told = winning(subprocess.run(pip, check=True, capture_output=True, text=True).stdout)
    try:
        command = [*sys.argv[1:], *options(told)]
    except KeyError as unknown:
        sys.exit(f"uv is not told pip's setting {unknown}, so pip installs")
    try:
        done = subprocess.run(command, env={**os.environ, **variables(told)}, check=False)
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}, so pip installs")
    sys.exit(done.returncode)
