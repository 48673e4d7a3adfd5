"""Other tools' HDF5 files: parts taken only where they lie in them, and a layout to write."""

from pathlib import Path

import h5py

from bridge.errors import FormatError

# The oldest layout with checksums of all that finds the numbers (2016): without them one damaged
# byte can send the HDF5 library into an endless loop or crash it.
CHECKED_LAYOUT = ("v110", "v110")


def own_part(group: h5py.Group, name: str, path: Path) -> h5py.Group | h5py.Dataset | None:
    """The group or data set of that name, "a/b" for one in another; None where there is none.

    Raises:
        FormatError: a link stands on the way, to another file or within this one.
    """
    item = group
    for step in name.split("/"):
        link = item.get(step, getlink=True) if isinstance(item, h5py.Group) else None
        if link is None:
            return None
        if not isinstance(link, h5py.HardLink):
            raise FormatError(f"{path}: {item.name}/{step} links elsewhere; that is not followed")
        item = item[step]
    return item


def own_group(group: h5py.Group, name: str, path: Path) -> h5py.Group | None:
    """The same for what must be a group.

    Raises:
        FormatError: as there, or it is something else.
    """
    part = own_part(group, name, path)
    if part is not None and not isinstance(part, h5py.Group):
        raise FormatError(f"{path}: {part.name} must be a group")
    return part
