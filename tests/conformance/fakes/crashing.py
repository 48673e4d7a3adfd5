"""An importer that takes its process with it as it is imported."""

import os

TITLE = "Crashing"
PACKAGES = ("numpy",)
INSTALL = "pip install numpy"


def load():
    """What a library that was built for another processor does."""
    os.abort()
