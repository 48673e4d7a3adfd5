"""The `.mat` files of Kim et al. 2019: rate networks of the authors' code and of its ports.

W = (w m) * som_m, (post, pre): w as trained, m with the sign of each unit on its diagonal, som_m
with zeros where the motif of SOM units allows no connection. `taus` are in steps of 5 ms: one value
for all units, or the two ends of a range in which sigmoid(taus_gaus) says where each unit lies.
After a search for the scale factor there are also `opt_scaling_factor` (1/lambda), `all_perfs` (the
accuracy at each) and `scaling_factors`.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.errors import FormatError, SpecError
from bridge.exchange.formats import Imported
from bridge.exchange.mat5 import Contents, mat_content, read_mat
from bridge.exchange.matlab_evidence import Evidence, check_step, contradictions, task_by, telling
from bridge.exchange.matlab_fields import STEP_MS, encode
from bridge.exchange.matlab_weights import (
    NEEDED,
    UNITS,
    Fields,
    cell_types,
    check_fields,
    outside,
    tau_ms,
    weights,
)
from bridge.rate.network import RateNetwork
from bridge.rate.network_task import known_task_of
from bridge.rate.plain_arrays import numbers
from bridge.versions import version

__all__ = ["SUFFIX", "encode", "read"]

Array = NDArray[np.float64]

SUFFIX = ".mat"

_SEARCH = ("opt_scaling_factor", "all_perfs", "scaling_factors")
_ACTIVATIONS = {
    "sigmoid": "sigmoid",
    "softplus": "softplus",
    "clipped_relu": "relu",
    "relu": "relu",
    "tanh": "tanh",
}


def read(
    path: Path,
    *,
    task: str | None = None,
    activation: str | None = None,
    relu: bool = False,
    dt_ms: float | None = None,
) -> Imported:
    """The rate network of a `.mat` file, and the scale factor that was found for it.

    Args:
        path: The file.
        task: Name of its task, "" for none; None: the one that all evidence in the file agrees on,
            or "".
        activation: Name of phi; None: what the file or its name says, or sigmoid.
        relu: Set negative raw weights to zero, as training did in each step.
        dt_ms: The step that its time constants are counted in, ms; None: the authors' 5 ms, if
            nothing in the file says otherwise.

    Raises:
        FormatError: no such file, or not one of these.
    """
    content = mat_content(path)
    used = (*NEEDED, *UNITS, *_SEARCH, "activation")
    held = read_mat(
        path,
        content,
        (*NEEDED, *UNITS, *(() if activation else ("activation",))),
        where_plain=lambda name: name in used or telling(name),
    )
    try:
        _check_read(held, activation)
        evidence = Evidence.of(held, used)
        fields, notes = _fields(held), []
        check_fields(fields)
        step_ms = STEP_MS if dt_ms is None else dt_ms
        notes += check_step(evidence, fields["taus"], step_ms, given=dt_ms is not None)
        rate = RateNetwork.from_arrays(
            **weights(fields, notes, relu=relu),
            **outside(fields),
            **evidence.units(len(fields["w"]), notes),
            tau_ms=tau_ms(fields, step_ms),
            dt_ms=step_ms,
            activation=activation or _activation(path, held.fields, evidence, notes),
            cell_types=cell_types(fields, notes),
        )
        scale, search = _search(held.fields, notes)
        rate, doubt = _with_task(rate, path, evidence, task, notes)
        notes += evidence.notes(rate.size)
        made = _provenance(path, content, relu=relu) | search | _noted(notes)
    except FormatError:
        raise
    except SpecError as error:
        raise FormatError(f"{path}: {error}") from None
    return Imported(
        rate=replace(rate, provenance=made),
        inverse_scale=scale,
        task_doubt=doubt,
        notes=tuple(notes),
    )


def _check_read(held: Contents, activation: str | None) -> None:
    """Raise SpecError where what makes the network stands in the file, and not as what is read."""
    wanted = (*NEEDED, *UNITS, *(() if activation else ("activation",)))
    objects = [name for name in wanted if name in held.others and name not in held.fields]
    if objects:
        raise SpecError(
            f"{', '.join(objects)}: an object of a MATLAB class, which is not read; save numbers "
            "as plain arrays and text as char"
        )
    for struct, members in held.structs.items():
        if "w" not in held.fields and {"w", "w_in", "w_out"} <= set(members):
            raise SpecError(
                f"its weights stand in the struct {struct}; save the fields of {struct} as "
                "variables of their own, in MATLAB by save(file, '-struct', ...)"
            )


def _fields(held: Contents) -> Fields:
    """The numbers that make the network; what is empty is as good as not there."""
    given = {
        name: value
        for name, value in held.fields.items()
        if name in NEEDED or (name in UNITS and np.size(value))
    }
    return {name: numbers(name, value) for name, value in given.items()}


def _with_task(
    rate: RateNetwork, path: Path, evidence: Evidence, given: str | None, notes: list[str]
) -> tuple[RateNetwork, str]:
    """The network with its task, which a user knows best; and why there is none, if in doubt."""
    if given is None:
        task, doubt = task_by(evidence, path, rate)
        return replace(rate, task=task), doubt
    rate = replace(rate, task=given)
    known = known_task_of(rate) if given else None
    if known is not None:
        against = contradictions(evidence, rate, given, known.steps)
        notes += [f"{said}; its task is {given} all the same" for said in against]
    return rate, ""


def _search(
    fields: Mapping[str, Array | str], notes: list[str]
) -> tuple[float | None, dict[str, Any]]:
    """The chosen 1/lambda, and what the file says of the search for it."""
    found: dict[str, Any] = {}
    chosen, right, tried = (fields.get(name) for name in _SEARCH)
    if tried is not None or right is not None:
        found = _accuracies(tried, right)
        if not found:
            notes.append("scaling_factors and all_perfs do not fit each other and were left out")
    if chosen is None:
        return None, {"search": found} if found else {}
    # It divides the weights: 20 to 75 for sigmoid rates, 4 to 26 for the others.
    if isinstance(chosen, str) or chosen.size != 1 or not 1 <= chosen.item() < np.inf:
        held = repr(chosen) if isinstance(chosen, str) else chosen.ravel()[:3].tolist()
        notes.append(
            f"opt_scaling_factor is not one number from 1 on but {held}: no scale factor is taken, "
            "convert searches one"
        )
        return None, {"search": found} if found else {}
    return chosen.item(), {"search": {"inverse_scale": chosen.item(), **found}}


def _accuracies(tried: Array | str | None, right: Array | str | None) -> dict[str, Any]:
    """Scale factors and the accuracy at each; nothing where they are not as many numbers."""
    if not isinstance(tried, np.ndarray) or not isinstance(right, np.ndarray):
        return {}
    pairs = np.concatenate([tried.ravel(), right.ravel()])
    if not pairs.size or tried.size != right.size or not np.isfinite(pairs).all():
        return {}
    return {"inverse_scales": tried.ravel().tolist(), "accuracies": right.ravel().tolist()}


def _activation(
    path: Path, fields: Mapping[str, Array | str], evidence: Evidence, notes: list[str]
) -> str:
    """The activation that the fields agree on, or else that of the file's name, or the sigmoid."""
    said = {"activation": fields["activation"]} if "activation" in fields else {}
    said |= evidence.texts("activation")
    by_name = re.search(r"_act_(clipped_relu|[a-z]+)", path.stem.lower())
    if by_name and not said:
        said["its name"] = by_name.group(1)
    for place, held in said.items():
        if not isinstance(held, str) or held not in _ACTIVATIONS:
            raise SpecError(
                f"unknown activation {held!r}; known are {', '.join(_ACTIVATIONS)} ({place})"
            )
    chosen = {_ACTIVATIONS[str(held)] for held in said.values()} or {"sigmoid"}
    if len(chosen) > 1:
        each = " and ".join(f"{place} says {held}" for place, held in said.items())
        raise SpecError(f"its activation is not certain: {each}; give --activation NAME")
    found = chosen.pop()
    named = _ACTIVATIONS.get(by_name.group(1), found) if by_name else found
    if named != found:
        notes.append(
            f"the activation is {found}, as {next(iter(said))} says, not {named} as its name"
        )
    return found


def _provenance(path: Path, content: bytes, *, relu: bool) -> dict[str, Any]:
    return {
        "made_by": f"spikebridge {version('spikebridge')}",
        "method": "imported from a .mat file of Kim et al. 2019",
        "source": path.name,
        "source_sha256": hashlib.sha256(content).hexdigest(),
        "relu": relu,
    }


def _noted(notes: list[str]) -> dict[str, Any]:
    return {"notes": list(notes)} if notes else {}
