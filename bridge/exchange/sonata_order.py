"""In which order a SONATA file says that its spikes are, and whether they are."""

from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from bridge.errors import FormatError
from bridge.exchange.attributes import text_or_number
from bridge.exchange.sonata_writing import SORTINGS
from bridge.exchange.spike_trains import backwards

_SPELLINGS = {name: name for name in SORTINGS} | {
    **{"": "none", "id": "by_id", "by_gid": "by_id", "gid": "by_id"},
    **{"time": "by_time", "by_timestamp": "by_time", "by_timestamps": "by_time"},
}
_NUMBERS: dict[float, str] = {number: name for name, number in SORTINGS.items()}
# Times in no order turn back at every second spike.
_RANDOM_RUN = 4


def check_order(
    times_s: NDArray[np.float64], ids: NDArray[np.int64], part: h5py.Group, path: Path
) -> tuple[str, ...]:
    """What a user should know of the order of (S,) spikes, a sentence each.

    Raises:
        FormatError: they are not in the order that the file states, or the times of its nodes seem
            to start over at each trial.
    """
    told = _sorting(part, path)
    back = np.diff(times_s) < 0
    if (told == "by_time" and back.any()) or (told == "by_id" and np.any(np.diff(ids) < 0)):
        raise FormatError(
            f"{path}: {part.name} says that it is sorted {told}, and is not: either its times "
            "start over at each trial, so that trials lie over each other, or they are in no "
            "order; write them in ascending order, trial after trial"
        )
    found = backwards(times_s, ids)
    if found is None:
        return ()
    node, later, earlier, count = found
    what = (
        f"the times of {count} nodes run backwards, as of node {node} from {later:.9g} to "
        f"{earlier:.9g} s"
    )
    runs = 1 + int(np.count_nonzero(back))
    if told == "none" and runs * _RANDOM_RUN <= times_s.size:
        raise FormatError(
            f"{path}: {part.name}: {what}, and all times start over {runs - 1} times: trials that "
            "begin anew would lie over each other; write trial after trial on one axis of time, "
            "or, if the order means nothing, in ascending order"
        )
    return (f"{what}: taken as in no order",)


def _sorting(part: h5py.Group, path: Path) -> str:
    value = text_or_number(part, "sorting", path)
    if value is None:
        return "none"
    if isinstance(value, float):
        found = _NUMBERS.get(value)
    else:
        found = _SPELLINGS.get(value.casefold().replace(" ", "_").replace("-", "_"))
    if found is None:
        raise FormatError(
            f"{path}: {part.name}: sorting must be one of {', '.join(SORTINGS)}, it is {value!r}"
        )
    return found
