"""An importer that ends its process as it is imported, without an error."""

import sys

TITLE = "Leaving"
PACKAGES = ("numpy",)
INSTALL = "pip install numpy"


def load():
    """What a script does that finds nothing to do."""
    sys.exit(0)
