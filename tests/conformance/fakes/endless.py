"""An importer whose import does not end."""

import time

TITLE = "Endless"
PACKAGES = ("numpy",)
INSTALL = "pip install numpy"


def load():
    """What a library does that waits for a device that is not there."""
    time.sleep(600)
