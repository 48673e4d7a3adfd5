"""Whether what is to be read is a file at all; where not, what it is and what to do."""

from pathlib import Path

from bridge.errors import FormatError

_ZARR = (".zgroup", ".zattrs", ".zmetadata", "zarr.json")


_PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".ckpt")


def check_no_pickle(path: Path) -> None:
    """Raise FormatError for what PyTorch pickles: reading it would run what it holds."""
    if path.suffix.lower() in _PICKLES:
        raise FormatError(
            f"{path}: a pickle, which may run code as it is read, and is not read; save its state "
            "dict as safetensors, in Python: import torch, safetensors.torch; "
            f"safetensors.torch.save_file(torch.load({path.name!r}, weights_only=True), "
            f"{path.with_suffix('.safetensors').name!r})"
        )


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
