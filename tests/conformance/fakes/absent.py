"""An importer that is not installed."""

TITLE = "Absent"
PACKAGES = ("numpy", "no-such-package-anywhere")
INSTALL = "pip install no-such-package-anywhere"
