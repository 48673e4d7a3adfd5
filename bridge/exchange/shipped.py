"""The trained networks that come with the package, each by its name."""

from pathlib import Path

_HOME = Path(__file__).parents[1] / "models"


def names() -> tuple[str, ...]:
    """What ships: "go_nogo_n200", a rate network, and "go_nogo_n200_lif", its conversion."""
    return tuple(sorted(path.stem for path in _HOME.glob("*.h5")))


def file_of(name: str) -> Path:
    """The file of a network that ships."""
    return _HOME / f"{name}.h5"


def found(path: Path) -> Path:
    """The file meant by a path: what is there, else what ships under a name like `go_nogo_n200`."""
    name = str(path)
    return file_of(name) if name in names() and not path.exists() else path
