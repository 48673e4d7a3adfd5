"""What a `.mat` file says of its network apart from the weights: its step, its task, its trials.

None of it is a field of the format. It is held against what is presumed, and where the two
contradict each other, the user is asked: a name alone may be wrong.
"""

import math
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.exchange.mat5 import Contents
from bridge.rate.network import RateNetwork
from bridge.rate.network_task import task_of
from bridge.rate.unit_names import bias_of, is_bias, is_start, start_of

Array = NDArray[np.float64]

# What the authors' code calls its tasks in the names of its files and in its settings.
_TASKS = {"gonogo": "go-nogo", "xor": "xor", "mante": "context"}

# What that code writes as well: values before training, an example, how training went.
_LEFT_ASIDE = {
    "x0", "r0", "w0", "taus_gaus0", "w_in0", "w_out0", "b_out0", "x", "r", "o", "label", "losses",
    "eval_perf_mean", "eval_loss_mean", "eval_os", "eval_labels", "tr", "exc", "inh_pv", "som_N",
    "made_by",
}  # fmt: skip
_INPUTS, _TARGETS = ("u",), ("target", "targets", "z")
_STEPS = {"deltat", "dt", "dtms", "stepms", "timestep", "timestepms", "tstep"}
_TAUS = {"tau", "taus", "taums", "tausms"}
_MOST_NAMED = 12


def telling(name: str) -> bool:
    """Whether a field of that name says something in addition to the weights."""
    known = (*_INPUTS, *_TARGETS, "T", "task", "made_by", "x0", "form")
    units = is_bias(name) or is_start(name)
    return units or name in known or _bare(name) in _STEPS | _TAUS


def _bare(name: str) -> str:
    return name.lower().replace("_", "")


@dataclass(frozen=True)
class Evidence:
    """What was found, each by where it stands.

    Attributes:
        fields: By name; those of structs as `settings.DeltaT`.
        others: Names of fields that say nothing that is understood.
    """

    fields: dict[str, Array | str]
    others: tuple[str, ...] = field(default=())

    @classmethod
    def of(cls, contents: Contents, used: tuple[str, ...]) -> "Evidence":
        """That of a file, without the fields `used` for the network itself."""
        fields = {name: value for name, value in contents.fields.items() if name not in used}
        for struct, members in contents.structs.items():
            fields |= {f"{struct}.{name}": value for name, value in members.items()}
        return cls(fields, (*contents.structs, *contents.others))

    def numbers(self, names: set[str]) -> dict[str, Array]:
        """Arrays whose bare names are among some, by where they stand."""
        return {
            place: value
            for place, value in self.fields.items()
            if isinstance(value, np.ndarray) and value.size and _bare(_last(place)) in names
        }

    def texts(self, name: str) -> dict[str, str]:
        """Texts of that name, by where they stand."""
        found = self.fields.items()
        return {place: v for place, v in found if isinstance(v, str) and v and _last(place) == name}

    def units(self, size: int, notes: list[str]) -> dict[str, Any]:
        """The form, the bias and the start of units, as arguments of `from_arrays`.

        Raises:
            SpecError: there are several of one of them, or one is none of `size` units.
        """
        found: dict[str, dict[str, Array]] = {"bias": {}, "initial_state": {}}
        for place, value in self.fields.items():
            name = _last(place)
            # One number in a struct is a switch.
            if isinstance(value, str) or (place != name and value.size < 2) or not np.any(value):
                continue
            if is_bias(name):
                found["bias"][place] = value
            elif is_start(name) and name not in _LEFT_ASIDE:
                found["initial_state"][place] = value
        forms = sorted(set(self.texts("form").values()))
        if len(forms) > 1:
            raise SpecError(f"form: the file says {' and '.join(forms)}")
        form = forms[0] if forms else "x"
        for name, what in (("bias", "bias of the units"), ("initial_state", "first state")):
            if found[name]:
                notes.append(f"{' and '.join(found[name])} is taken as the {what}")
        bias, start = bias_of(found["bias"], size), start_of(found["initial_state"], size, form)
        return {"form": form, "bias": bias, "initial_state": start}

    def notes(self, size: int) -> list[str]:
        """What is left aside, in a sentence or two."""
        said = []
        start = self.fields.get("x0")
        # The authors keep the states of a whole trial in it.
        if isinstance(start, np.ndarray) and start.size == size and np.any(start):
            said.append("x0, a state to start from, is left aside: trials start around zero")
        unknown = sorted({n for n in self.others if n.isidentifier()} - _LEFT_ASIDE)
        if unknown:
            more = len(unknown) - _MOST_NAMED
            listed = ", ".join(unknown[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
            said.append(f"not understood and left aside: {listed}")
        return said


def _last(place: str) -> str:
    return place.rpartition(".")[2]


def check_step(evidence: Evidence, taus: Array, dt_ms: float, *, given: bool) -> list[str]:
    """Hold the step that time constants are counted in against what else speaks of it.

    Args:
        evidence: Of the file.
        taus: Its time constants, in steps.
        dt_ms: The step, ms.
        given: Whether a user has said so, who is then believed: what contradicts is noted.

    Raises:
        SpecError: it contradicts, and no user has said which is right.
    """
    times = [v for v in evidence.numbers(_TAUS).values() if v.size == taus.size]
    told = any(_are_taus(value, taus, (dt_ms, dt_ms / 1000)) for value in times)
    against = []
    for place, value in evidence.numbers(_STEPS).items():
        if not _is_step(_last(place), value, dt_ms):
            against.append(f"{place} is {_shown(value)}")
        elif value.item() == dt_ms != 1 and not told:
            # The code that took it may have divided it by them.
            against.append(f"{place} is {_shown(value)}, in whose unit they may be")
    against += [
        f"{place} is {_shown(value)}"
        for place, value in evidence.numbers(_TAUS).items()
        if value.size == taus.size and not _are_taus(value, taus, (1.0, dt_ms, dt_ms / 1000))
    ]
    if not against:
        return []
    said = f"taus of {_shown(taus)} are counted in steps of {dt_ms:g} ms, while " + " and ".join(
        against
    )
    if not given:
        raise SpecError(
            f"{said}: give the step in ms, --dt-ms (in Python dt_ms), if they are steps"
        )
    return [said]


def _is_step(name: str, value: Array, dt_ms: float) -> bool:
    """Whether a number may be the step, in ms, in s, or as the authors' DeltaT, which is 1."""
    if value.size != 1:
        return False
    units = (1.0,) if _bare(name).endswith("ms") else (1.0, 0.001)
    alike = any(math.isclose(value.item(), unit * dt_ms, rel_tol=1e-6) for unit in units)
    return alike or (_bare(name) == "deltat" and value.item() == 1)


def _are_taus(value: Array, taus: Array, units: tuple[float, ...]) -> bool:
    """Whether numbers may be the same time constants, in one of some units."""
    return any(np.allclose(np.ravel(value), np.ravel(taus) * unit) for unit in units)


def _shown(values: Array) -> str:
    few = [f"{value:g}" for value in np.ravel(values)[:3]]
    return ", ".join(few) + (", ..." if np.size(values) > len(few) else "")


def task_by(evidence: Evidence, path: Path, rate: RateNetwork) -> tuple[str, str]:
    """The task that all evidence agrees on, or ""; and then why it is not certain."""
    named = _named(evidence, path)
    if not named:
        return "", "neither its name nor a field says which"
    (place, task), *others = named.items()
    for other, said in others:
        if said.partition(":")[0] != task.partition(":")[0]:
            return "", f"{place} says {task} and {other} {said}"
    if task == "none":
        return "", ""
    try:
        found = task_of(replace(rate, task=task))
    except SpecError as error:
        return "", f"{place} says {task}, but {error}"
    against = contradictions(evidence, rate, found.name, found.steps)
    if against:
        return "", f"{place} says {task}, but {against[0]}"
    return found.name, ""


def _named(evidence: Evidence, path: Path) -> dict[str, str]:
    """Names of tasks by where they stand, the surest first."""
    found = {}
    for place, text in evidence.texts("task").items():
        letters = re.sub("[^a-z]", "", text.lower())
        found[f"its field {place}"] = _TASKS.get(letters, text)
    # Whoever writes a file of ours may call it anything.
    if not any(text.startswith("spikebridge") for text in evidence.texts("made_by").values()):
        letters = re.sub("[^a-z]", "", path.stem.lower())
        words = [task for word, task in _TASKS.items() if word in letters]
        if len(words) == 1:
            found["its name"] = words[0]
    return found


def contradictions(evidence: Evidence, rate: RateNetwork, task: str, steps: int) -> list[str]:
    """Where the file's own trials are of other channels or not of `steps` samples, in words."""
    said = []
    for places, what, channels in (
        (_INPUTS, "inputs", rate.input_size),
        (_TARGETS, "outputs", len(rate.w_out)),
    ):
        for place, shape in _shapes(evidence, places).items():
            if channels != 1 and channels not in shape:
                said.append(f"{place} of shape {shape} is of no network with {channels} {what}")
            elif steps not in _lengths(shape, channels):
                lengths = " or ".join(map(str, _lengths(shape, channels)))
                said.append(
                    f"the trials of {place} last {lengths} samples, those of {task} {steps}"
                )
    for place, value in evidence.numbers({"t"}).items():
        if value.size == 1 and value.item() != steps:
            said.append(f"{place} is {value.item():g}, trials of {task} last {steps} samples")
    return said


def _shapes(evidence: Evidence, names: tuple[str, ...]) -> dict[str, tuple[int, ...]]:
    """Shapes of the trials that a file holds, by where they stand."""
    return {
        place: value.shape
        for place, value in evidence.fields.items()
        if isinstance(value, np.ndarray) and value.size > 1 and _last(place) in names
    }


def _lengths(shape: tuple[int, ...], channels: int) -> list[int]:
    """How many samples trials of that shape may have: one of its sides is the channels."""
    sides = [*shape, 1]
    sides.remove(channels)
    # A side of one is a single trial's, or the only channel's.
    return [side for side in sides if side > 1]
