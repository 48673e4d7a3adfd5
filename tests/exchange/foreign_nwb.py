"""NWB files as other tools' writers make them, drawn at random."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import h5py
import numpy as np
from exchange.foreign_recordings import Drawn, Writer

# What is wrong with a file, and what must be said of it.
FAULTS = {
    "a stop is NaN": r"trial \d of \d \(counted from 0\) has no stop",
    "a trial of no length": "lasts 0 s",
    "trials overlap": "trials overlap",
    "trials not in order": "not in order",
    "trials of two lengths": "--window-s 0:",
    "times run backwards": "run backwards",
    "the same time twice": "at the same time",
    "too coarse a step": "ms or less",
    "float32 far out": "float32",
    "index missing": "no spike_times_index",
    "index too long": "do not fit together",
    "a time is NaN": "must be finite",
    "a unit is not text": "",
    "unknown unit": "units of time that are known",
    "two units": "has times in",
    "a resolution is not a number": "",
    "a resolution makes no sense": "resolution of .* makes no sense",
    "rows are units in one trial": "a unit in one trial|trials of the same units",
}
_TABLE = ("a stop", "a trial", "trials")
_FLOATS = ("f8", ">f8", "f4", ">f4")
_WHOLE = ("u1", "u2", "u4", "u8", "i4", "i8", ">i8", "f8")


@dataclass
class Session:
    """What is to be written: starts and stops of trials and the times of each unit, s."""

    starts: list[float]
    stops: list[float]
    units: list[list[float]]


def draw_nwb(rng: np.random.Generator, path: Path) -> Drawn:
    """Write an NWB file as the writer of another tool might."""
    drawn = Drawn(dt_ms=float(rng.choice([0.1, 0.05, 0.5, 1.0, 0.25])))
    writer = Writer(rng, drawn)
    fault = writer.one_of([*FAULTS, *[""] * (2 * len(FAULTS))])
    if fault:
        drawn.fault = FAULTS[fault]
        drawn.traits.append(f"fault: {fault}")
    table = fault.startswith(_TABLE) or bool(rng.random() < 0.7)
    session = _session(writer, fault, table=table)
    with h5py.File(path, "w") as file:
        file.attrs["nwb_version"] = writer.one_of(["2.6.0", np.bytes_(b"2.2.4")])
        if not table:
            drawn.options["trial_s"] = session.stops[0] - session.starts[0]
        parts = [partial(_units, writer, file, session, fault)]
        if table:
            parts.append(partial(_trials, writer, file, session, fault))
        writer.in_any_order(parts)
    return drawn


def _session(writer: Writer, fault: str, *, table: bool) -> Session:
    drawn, rng = writer.drawn, writer.rng
    neurons, trials, steps = (int(rng.integers(*span)) for span in ((1, 6), (2, 5), (20, 60)))
    neurons += fault in ("index missing", "rows are units in one trial")
    step_s = drawn.dt_ms / 1000.0
    first = writer.trait("first trial", [0.0, 5.0, -1.0]) if table else 0.0
    first = 40_000.0 if fault == "float32 far out" else first
    gap = writer.trait("gap between trials", [0.0, 0.5]) if table else 0.0
    starts = [first + trial * (steps * step_s + gap) for trial in range(trials)]
    events = [(trial, *event) for trial in range(trials) for event in writer.spikes(neurons, steps)]
    if fault:
        # What may be doubled, turned round or put into one step.
        events = sorted({*events, (0, 0, 3), (0, 0, 4), (0, 0, 7)})
    drawn.spikes = [(trial, step, neuron) for trial, neuron, step in events]
    if not table:
        trials = 1 + max((trial for trial, _, _ in events), default=0)
    drawn.shape, drawn.populations = (trials, steps, neurons), {"units": neurons}
    units = [
        [starts[trial] + step * step_s for trial, owner, step in events if owner == unit]
        for unit in range(neurons)
    ]
    if gap and events and rng.random() < 0.5:
        drawn.traits.append("spikes between trials")
        units[-1] = sorted([*units[-1], starts[0] - 0.25, starts[1] - 0.25])
    session = Session(starts, [start + steps * step_s for start in starts], units)
    _spoil(session, fault, drawn, starts[0])
    return session


def _spoil(session: Session, fault: str, drawn: Drawn, start: float) -> None:
    """Put a fault into the times or the trials."""
    step_s = drawn.dt_ms / 1000.0
    three, seven = start + 3 * step_s, start + 7 * step_s
    mine = session.units[0]
    if fault == "a stop is NaN":
        session.stops[-1] = np.nan
    elif fault == "a trial of no length":
        session.stops[1] = session.starts[1]
    elif fault == "trials overlap":
        session.stops[0] = session.starts[1] + 5 * step_s
    elif fault == "trials not in order":
        session.starts.reverse()
        session.stops.reverse()
    elif fault == "trials of two lengths":
        session.stops[-1] += 10 * step_s
    elif fault == "times run backwards":
        places = mine.index(three), mine.index(seven)
        mine[places[0]], mine[places[1]] = seven, three
    elif fault == "the same time twice":
        mine.insert(mine.index(three), three)
    elif fault == "a time is NaN":
        mine[mine.index(three)] = np.nan


def _trials(writer: Writer, file: h5py.File, session: Session, fault: str) -> None:
    table = file.create_group("intervals/trials")
    types = ("f4",) if fault == "float32 far out" else _FLOATS

    def column(name: str, values: list[float]) -> None:
        writer.keep(table, name, values, types)

    makers = [
        partial(column, "start_time", session.starts),
        partial(column, "stop_time", session.stops),
        partial(table.create_dataset, "id", data=np.arange(len(session.starts))),
        partial(table.create_dataset, "contrast", data=np.full(len(session.starts), np.nan)),
    ]
    writer.in_any_order(makers)


def _units(writer: Writer, file: h5py.File, session: Session, fault: str) -> None:
    units = file.create_group("units")
    count = len(session.units)
    ends = np.cumsum([len(times) for times in session.units])
    makers = [partial(_times, writer, units, session, fault)]
    if fault == "index too long":
        ends[-1] += 1
    alone = count == 1 and not fault and writer.rng.random() < 0.5
    if alone:
        writer.drawn.traits.append("one unit, no index")
    if not alone and fault != "index missing":
        makers.append(partial(writer.keep, units, "spike_times_index", ends, _WHOLE))
    ids = writer.rng.choice(1000, count, replace=False)
    if alone or fault == "index missing" or writer.rng.random() < 0.7:
        makers.append(partial(units.create_dataset, "id", data=ids))
    if fault == "rows are units in one trial":
        # With a trials table a segment may well be one of the body.
        name = "segment" if "trial_s" in writer.drawn.options else "trial"
        makers.append(partial(units.create_dataset, name, data=np.arange(count)))
    else:
        makers.append(partial(units.create_dataset, "quality", data=np.full(count, np.nan)))
    writer.in_any_order(makers)


def _times(writer: Writer, units: h5py.Group, session: Session, fault: str) -> None:
    drawn, rng = writer.drawn, writer.rng
    seconds = np.concatenate([np.array(times) for times in session.units])
    in_a_second = 1.0
    if "unit" not in fault and rng.random() < 0.4:
        in_a_second = writer.one_of([1.0, 1e3, 1e6])
    types = ("f4",) if fault == "float32 far out" else _FLOATS
    if in_a_second > 1.0 and drawn.dt_ms == 1.0 and not fault and seconds.min(initial=0.0) >= 0:
        types = (*_FLOATS, "i4", "u4", "i8", ">u8")
        seconds = np.round(seconds, 6)
    values = seconds * in_a_second
    writer.keep(units, "spike_times", np.round(values) if "i4" in types else values, types)
    times = units["spike_times"]
    if fault in ("a unit is not text", "unknown unit", "two units"):
        writer.bad_unit(times, fault)
    elif in_a_second != 1.0 or rng.random() < 0.3:
        writer.unit(times, in_a_second)
    _resolution(writer, times, fault)


def _resolution(writer: Writer, times: h5py.Dataset, fault: str) -> None:
    """The time step, told by the file, given as an option, or the one of 0.1 ms."""
    drawn = writer.drawn
    if fault == "a resolution is not a number":
        writer.bad_attribute(times, "resolution", text=False)
    elif fault == "a resolution makes no sense":
        times.attrs["resolution"] = writer.one_of([-0.5, np.inf, [-1e-4]])
    elif fault == "too coarse a step":
        drawn.options["dt_ms"] = 3 * drawn.dt_ms
    elif writer.rng.random() < 0.6 and fault != "float32 far out":
        writer.attribute(times, "resolution", drawn.dt_ms / 1000.0)
    else:
        drawn.options["dt_ms"] = drawn.dt_ms
        if writer.rng.random() < 0.5:
            writer.attribute(times, "resolution", writer.one_of([-1.0, 0.0]))
