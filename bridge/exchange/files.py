"""Whether what is to be read is a file at all; where not, what it is and what to do."""

from pathlib import Path

from bridge.errors import FormatError

_ZARR = (".zgroup", ".zattrs", ".zmetadata", "zarr.json")


def check_file(path: Path) -> None:
    """Raise FormatError unless `path` is a file: nothing is there, or a folder, or a pipe."""
    try:
        if path.is_file():
            return
        folder, exists = path.is_dir(), path.exists()
        zarr = folder and (path.suffix == ".zarr" or any((path / name).exists() for name in _ZARR))
    except PermissionError:
        raise FormatError(f"{path}: no permission to read it") from None
    except OSError as error:
        raise FormatError(f"{path}: {error.strerror or error}") from None
    if zarr:
        raise FormatError(
            f"{path}: a folder in the zarr format, which is not read; write it as one HDF5 file "
            "(NWB: pynwb's NWBHDF5IO exports what hdmf-zarr reads)"
        )
    if folder:
        raise FormatError(f"{path}: a folder; name a file in it")
    if exists:
        raise FormatError(f"{path}: a pipe or a device; write its content into a file first")
    raise FormatError(f"{path}: no such file")
