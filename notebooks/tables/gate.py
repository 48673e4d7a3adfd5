"""What the agreement gate sees of faults, and what it finds of healthy simulators."""

import re
from collections.abc import Iterator
from statistics import mean

from tables.markdown import UNKNOWN, rows_of, table

LEVELS = ("exact", "probe", "statistical")
FAULT_HEAD = ("fault", "exact: 20 trials", "probe", "statistical: 100 trials")
GATE_HEAD = ("level", "network", "backends", "found", "wall time (s)", "peak memory (MB)")
ALARM_HEAD = ("what was compared with Brian2", "comparisons", "called different")
NOTHING = "Brian2 itself"


def faults() -> Iterator[str]:
    """A row for each fault, a column for each level."""
    return table(FAULT_HEAD, fault_rows())


def fault_rows() -> Iterator[tuple[str, ...]]:
    """A row for each fault, a column for each level."""
    rows = rows_of("faults.csv")
    for name in dict.fromkeys(row["fault"] for row in rows):
        mine = {row["level"]: row for row in rows if row["fault"] == name}
        told = (_seen(mine[level]) if level in mine else UNKNOWN for level in LEVELS)
        yield (f"{mine['exact']['meaning']} (`{name}`)", *told)


def _seen(row: dict[str, str]) -> str:
    what = row["what"]
    if row["level"] == "exact":
        what = re.sub(r"^(\d+)", lambda count: f"{int(count[0]):,}", what)
    elif row["level"] == "probe":
        parts = (_SHORT.get(part, part) for part in what.split("; "))
        what = ", ".join(dict.fromkeys(parts))
    return f"{'seen' if row['seen'] == 'True' else 'not seen'}: {what}"


# What the report calls a finding, and the page for short.
_SHORT = {
    "postsynaptic current: onset": "onset",
    "postsynaptic current: peak": "peak",
    "postsynaptic current: area": "area",
    "no current where there is no synapse": "current without a synapse",
    "shortest interval between spikes (refractory period + 1)": "refractory period",
    "f-I curve: interval under a constant current": "f-I curve",
    "variance of the voltage, relative": "s.d. of the noise",
    "variance of the voltage of each neuron, relative": "s.d. of the noise",
    "variance of the mean of all voltages (noise of neurons is independent)": "s.d. of the noise",
    "input: onset": "onset of the input",
    "input: size of the current, relative": "size of the input",
    "readout of a single spike": "readout of a spike",
}


def gate() -> Iterator[str]:
    """A row for each network and pair of backends."""
    return table(GATE_HEAD, map(_gate_row, rows_of("gate.csv")))


def _gate_row(row: dict[str, str]) -> tuple[str, ...]:
    if row["levels"] == "exact":
        found = f"{int(row['spikes']):,} spikes, {row['differing']} differing"
    else:
        found = f"{'agree' if row['agreed'] == 'True' else 'differ'}, p = {float(row['p']):.2f}"
    levels, backends = (row[name].replace(",", ", ") for name in ("levels", "backends"))
    seconds, memory = f"{float(row['seconds']):.0f}", f"{float(row['peak_mb']):.0f}"
    return (levels, f"{row['task']}, {row['units']} units", backends, found, seconds, memory)


def alarms() -> Iterator[str]:
    """How often the statistical level calls two simulators different, a row for each fault."""
    found = {NOTHING: rows_of("false_alarms.csv")}
    for row in rows_of("detections.csv"):
        found.setdefault(f"Brian2 with `{row['fault']}`", []).append(row)
    alarmed = {name: [row["alarm"] == "True" for row in rows] for name, rows in found.items()}
    yield from table(ALARM_HEAD, ((k, len(v), sum(v)) for k, v in alarmed.items()))
    share = mean(float(row["notable"]) for row in found[NOTHING])
    yield from (
        "",
        f"Of Brian2 itself, {100 * share:.1f} % of the units were beyond 1.96 standard errors.",
    )
