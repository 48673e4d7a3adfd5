"""Trees of arrays and values in HDF5, written whole or not at all, read with suspicion.

A tree is a dict whose values are NumPy arrays (datasets), numbers or strings (attributes) and
trees (groups). Nothing in a file is ever executed or unpickled.
"""

import hashlib
import io
import math
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from bridge.errors import FormatError, OutputError
from bridge.exchange.files import check_file

Tree = dict[str, Any]

FORMAT = "spikebridge"
_LARGEST_BYTES = 4 * 2**30
_MOST_OBJECTS = 100_000
_DEEPEST = 8
_UNITS = {"_ms": "ms", "_mv": "mV", "_hz": "Hz"}


def write_tree(path: Path, tree: Tree, *, overwrite: bool) -> None:
    """Write a tree to `path` through a temporary file next to it.

    Raises:
        OutputError: the file exists and may not be replaced, or cannot be written.
    """
    _check_free(path, overwrite=overwrite)
    buffer = io.BytesIO()
    # The latest layout keeps checksums of HDF5's own metadata: without them one damaged byte can
    # send the HDF5 library into an endless loop or crash it.
    with h5py.File(buffer, "w", libver="latest") as file:
        _write_group(file, tree)
        file.attrs["checksum"] = checksum(tree)
    write_bytes(path, buffer.getbuffer())


def write_bytes(path: Path, content: bytes | memoryview) -> None:
    """Put `content` at `path`, whole or not at all; OutputError where that fails."""
    _check_free(path, overwrite=True)
    temporary = None
    try:
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            temporary = Path(file.name)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # NamedTemporaryFile makes files for the owner only; results are as readable as any file.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from None
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def check_writable(path: Path, *, overwrite: bool) -> None:
    """Raise OutputError now rather than after the work, where `path` could not be written."""
    _check_free(path, overwrite=overwrite)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from None


def _check_free(path: Path, *, overwrite: bool) -> None:
    try:
        folder, exists, plain = path.is_dir(), path.exists(), path.is_file()
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from None
    if folder:
        raise OutputError(f"{path} is a folder; name a file in it")
    if exists and not plain:
        # A file would take its place, and root may do that to a device.
        raise OutputError(f"{path} is a pipe or a device; name a file")
    if exists and not overwrite:
        raise OutputError(f"{path} exists already; use --force (force=True) to replace it")


def read_tree(path: Path) -> Tree:
    """Read a file that `write_tree` wrote.

    Raises:
        FormatError: missing, truncated, foreign, changed since it was written, or holding what
            no such file holds (links to elsewhere, objects, absurd sizes).
    """
    check_file(path)
    try:
        with h5py.File(path, "r") as file:
            if _text(file.attrs.get("format")) != FORMAT:
                raise FormatError(f"{path}: not a spikebridge file")
            tree = _read_group(file, str(path), _Budget(), _DEEPEST)
        kept = tree.pop("checksum", None)
        fits = kept == checksum(tree)
    except FormatError:
        raise
    except PermissionError:
        raise FormatError(f"{path}: no permission to read it") from None
    except (OSError, RuntimeError, KeyError, TypeError, ValueError):
        raise FormatError(f"{path}: damaged, or no HDF5 file") from None
    if not fits:
        raise FormatError(
            f"{path}: its checksum does not fit its content; it was changed or damaged"
        )
    return tree


@dataclass
class _Budget:
    """What a file may still claim: hard links can make a small file endless."""

    data: int = _LARGEST_BYTES
    objects: int = _MOST_OBJECTS

    def spend(self, path: str, size: int) -> None:
        """Take one object of `size` bytes."""
        self.data -= size
        self.objects -= 1
        if self.data < 0:
            raise FormatError(f"{path}: claims more than {_LARGEST_BYTES / 2**30:.0f} GiB of data")
        if self.objects < 0:
            raise FormatError(f"{path}: claims more than {_MOST_OBJECTS} groups and arrays")


def checksum(tree: Tree) -> str:
    """SHA-256 over names, types, shapes and values of a tree, in the order of the names."""
    digest = hashlib.sha256()
    _digest(digest, tree)
    return "sha256:" + digest.hexdigest()


def _digest(digest: "hashlib._Hash", tree: Tree) -> None:
    for name in sorted(tree):
        value = tree[name]
        digest.update(f"/{name}:".encode())
        if isinstance(value, dict):
            digest.update(b"{")
            _digest(digest, value)
            digest.update(b"}")
        elif isinstance(value, np.ndarray):
            array = np.ascontiguousarray(value)
            digest.update(f"{array.dtype.str}{array.shape}".encode())
            digest.update(array.tobytes())
        else:
            digest.update(repr(_plain(value)).encode())


def _plain(value: object) -> Any:
    """A number or string as Python writes it, the same before writing and after reading."""
    if isinstance(value, bool | np.bool_):
        return int(value)
    if isinstance(value, np.generic):
        return value.item()
    return value


def _write_group(group: h5py.Group, tree: Tree) -> None:
    for name, value in tree.items():
        if isinstance(value, dict):
            _write_group(group.create_group(name), value)
        elif isinstance(value, np.ndarray):
            options = {"compression": "gzip", "shuffle": True} if value.size > 256 else {}
            dataset = group.create_dataset(name, data=value, **options)
            dataset.attrs["units"] = _units_of(name)
        else:
            group.attrs[name] = _plain(value)


def _units_of(name: str) -> str:
    return next((unit for suffix, unit in _UNITS.items() if name.endswith(suffix)), "1")


def _read_group(group: h5py.Group, path: str, budget: _Budget, depth: int) -> Tree:
    if depth == 0:
        raise FormatError(f"{path}: groups are nested too deep")
    budget.spend(path, 0)
    tree: Tree = {name: _attribute(path, name, value) for name, value in group.attrs.items()}
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise FormatError(f"{path}: {group.name}/{name} links elsewhere; that is not followed")
        item = group[name]
        if isinstance(item, h5py.Group):
            tree[name] = _read_group(item, path, budget, depth - 1)
        elif isinstance(item, h5py.Dataset):
            tree[name] = _read_dataset(item, path, budget)
        else:
            raise FormatError(f"{path}: {item.name} is neither a group nor an array")
    return tree


def _read_dataset(dataset: h5py.Dataset, path: str, budget: _Budget) -> NDArray[Any]:
    elsewhere = dataset.external or dataset.is_virtual
    if dataset.shape is None or dataset.dtype.kind not in "fiub" or elsewhere:
        raise FormatError(f"{path}: {dataset.name} is not a plain array of numbers")
    budget.spend(path, math.prod(dataset.shape) * dataset.dtype.itemsize)
    return np.asarray(dataset[()])


def _attribute(path: str, name: str, value: object) -> Any:
    text = _text(value)
    if text is not None:
        return text
    if isinstance(value, np.generic) and value.dtype.kind in "fiub":
        return value.item()
    raise FormatError(f"{path}: attribute {name} is neither a number nor text")


def _text(value: object) -> str | None:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else None
