"""The tables of a search, and of several kinds of neurons side by side."""

from collections.abc import Sequence

import numpy as np

from bridge.methods.scale_search import ScaleSearch, Search
from bridge.methods.side_by_side import OfNeuron
from bridge.tables import Table


def search_table(search: Search) -> Table:
    """A row for each candidate, with a mark on the chosen one."""
    columns = _candidates(search)
    if search.correct is not None:
        columns["accuracy"] = [f"{share:.1%}" for share in search.accuracies()]
        columns["95 % interval"] = [f"{low:.1%} - {high:.1%}" for low, high in search.intervals()]
    if search.measured is not None:
        columns[f"median {search.measured[0].name}"] = [each.spread for each in search.measured]
    if search.output_error is not None:
        columns["output error"] = [f"{error:.3g}" for error in search.output_error]
    if search.unit_correlations is not None:
        middle = np.median(search.unit_correlations, axis=1)
        columns[_UNITS] = [f"{value:.2f}" for value in middle]
    columns["trials"] = search.done().tolist()
    columns[""] = ["<" * (number == search.best) for number in range(search.done().size)]
    return Table(
        headers=tuple(columns),
        rows=list(zip(*columns.values(), strict=True)),
        essential=tuple(name for name in columns if name != _UNITS),
    )


_UNITS = "units correlate"


def sides_table(sides: Sequence[OfNeuron]) -> Table:
    """A row for each kind of neuron that a rate network became."""
    rows: list[tuple[object, ...]] = []
    for side in sides:
        found, search = side.conversion.faithfulness(), side.conversion.search
        right = error = "-"
        if found is not None and found.accuracy is not None:
            right = f"{found.accuracy:.1%}"
        if found is not None and found.output_error is not None:
            error = f"{found.output_error:.3g}"
        rows.append((side.neuron, search.told_choice(), right, error, f"{side.rate_hz:.3g}"))
    headers = ("neuron", "at", "right", "output error", "rate (Hz)")
    return Table(headers=headers, rows=rows, words=("neuron", "at"))


def _candidates(search: Search) -> dict[str, list[object]]:
    """What was tried."""
    if isinstance(search, ScaleSearch):
        return {"1/lambda": [f"{scale:g}" for scale in search.inverse_scales]}
    columns: dict[str, list[object]] = {
        "gain (Hz)": [f"{gain:g}" for gain in search.gains_hz],
        "fires (Hz)": [f"{rate:.3g}" for rate in search.rates_hz],
        "step (ms)": [f"{step:g}" for step in search.dt_ms],
    }
    if np.any(search.readout_lag_ms):
        columns["read with (ms)"] = [f"{tau:g}" if tau else "own" for tau in search.readout_lag_ms]
    return columns
