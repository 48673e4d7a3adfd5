"""An importer that cannot be imported."""

TITLE = "Broken"
PACKAGES = ("numpy",)
INSTALL = "pip install numpy"


def load():
    """What a version that does not fit does."""
    raise ImportError("cannot import name 'gone'")
