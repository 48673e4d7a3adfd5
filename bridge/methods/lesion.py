"""Lesions: what chosen units send is taken away, or made weaker or stronger."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from bridge.arguments import number, of_kinds, text
from bridge.errors import SpecError
from bridge.progress import told
from bridge.rate.network import RateNetwork
from bridge.spiking.arrays import frozen_array
from bridge.spiking.network import Readout, SpikingNetwork
from bridge.spiking.projection import Projection
from bridge.spiking.weights import Factored, Matrix

Network = TypeVar("Network", bound=SpikingNetwork | RateNetwork)
Mask = NDArray[np.bool_]
Progress = Callable[[float], None]


def lesion(
    network: Network,
    *,
    units: Sequence[int] | None = None,
    cell_type: str | None = None,
    onto: str | None = None,
    scale: float = 0.0,
    on_progress: Progress | None = None,
    progress: bool = True,
) -> Network:
    """A network in which the weights from chosen units are multiplied by `scale`.

    With `scale` 0 the units are silenced: all that they send over recurrent connections and into
    readouts is zero. They still receive input and may fire, but nothing receives it.

    Args:
        network: A spiking or a rate network, or a conversion: its spiking network is meant. What
            is given stays as it is.
        units: Which units, numbered through all populations; None: given by `cell_type`.
        cell_type: The name of their kind, as "SOM"; None: given by `units`.
        onto: Only the recurrent weights onto units of this kind; readouts are then left alone.
        scale: Factor of the weights, from 0 on.
        on_progress: Called with the fraction done.
        progress: Show how far it is, in a terminal or notebook, where it takes more than two
            seconds and `on_progress` is not given.

    Returns:
        The changed network; its provenance lists every lesion. A rate network loses its training
        history and checkpoint, which are not those of the changed weights.

    Raises:
        SpecError: not exactly one choice of units, unknown ones, or a factor that makes no sense.
    """
    network = of_kinds("network", network, (SpikingNetwork, RateNetwork))
    if number("scale", scale) < 0:
        raise SpecError(f"scale: must not be negative, got {scale}")
    chosen = chosen_units(network, units=units, cell_type=cell_type)
    pre = np.zeros(network.size, dtype=bool)
    pre[chosen] = True
    post = np.ones(network.size, dtype=bool)
    if onto is not None:
        post[:] = False
        post[chosen_units(network, cell_type=onto)] = True
    note = {"units": cell_type or chosen.tolist(), "onto": onto or "all", "scale": float(scale)}
    done = (*network.provenance.get("lesions", ()), note)
    with told("changing weights", on_progress, progress) as report:
        changed = _changed(network, pre, post, scale, report, readouts=onto is None)
    return replace(network, **changed, provenance={**network.provenance, "lesions": done})


def chosen_units(
    network: SpikingNetwork | RateNetwork,
    *,
    units: Sequence[int] | None = None,
    cell_type: str | None = None,
) -> NDArray[np.int64]:
    """Numbers of the units chosen by number or by kind, ascending.

    Raises:
        SpecError: not exactly one of the two is given, or there are no such units.
    """
    if (units is None) == (cell_type is None):
        raise SpecError("units: choose them either by number or by cell type")
    if units is not None:
        return _numbered(units, network.size)
    wanted, kinds = text("cell_type", cell_type), _kinds(network)
    # Units without a kind are of none that could be asked for.
    found = np.flatnonzero([kind == wanted != "" for kind in kinds])
    if not found.size:
        known = ", ".join(sorted(set(kinds) - {""})) or "none"
        raise SpecError(f"no units of the cell type {cell_type!r}; this network has {known}")
    return found


def _numbered(units: Sequence[int], size: int) -> NDArray[np.int64]:
    numbers = np.unique(frozen_array("units", units, (None,), np.int64))
    if not numbers.size or numbers[0] < 0 or numbers[-1] >= size:
        raise SpecError(f"units: expected numbers from 0 to {size - 1}, at least one")
    return numbers


def _kinds(network: SpikingNetwork | RateNetwork) -> list[str]:
    """The cell type of each unit, through all populations; "" where it has none."""
    parts = [network] if isinstance(network, RateNetwork) else network.populations
    return [kind for part in parts for kind in part.cell_types or ("",) * part.size]


def _changed(
    network: SpikingNetwork | RateNetwork,
    pre: Mask,
    post: Mask,
    scale: float,
    report: Progress | None,
    *,
    readouts: bool,
) -> dict[str, Any]:
    """The fields that a lesion changes; `readouts`: whether those are among them."""
    if isinstance(network, RateNetwork):
        w_out = _scaled(network.w_out, readouts & pre, np.ones(len(network.w_out), bool), scale)
        recurrent = _scaled(network.recurrent, pre, post, scale)
        return {"recurrent": recurrent, "w_out": w_out, "history": None, "checkpoint": None}
    projections: list[Projection] = []
    for one in network.projections:
        projections.append(_projection(network, one, pre, post, scale))
        if report is not None:
            report(len(projections) / len(network.projections))
    return {
        "projections": tuple(projections),
        "readouts": tuple(
            _readout(network, readout, readouts & pre, scale)
            if isinstance(readout, Readout)
            else readout
            for readout in network.readouts
        ),
    }


def _projection(
    network: SpikingNetwork, projection: Projection, pre: Mask, post: Mask, scale: float
) -> Projection:
    if network.is_input(projection.source):
        return projection
    source, target = network.span(projection.source), network.span(projection.target)
    weights = projection.weights
    if not isinstance(weights, Factored):
        return replace(projection, weights=_scaled(weights, pre[source], post[target], scale))
    if not post[target].any():
        return projection
    if not post[target].all():
        raise SpecError(
            f"projection {projection.name}: its weights are factored, and cannot be changed onto "
            "some units alone"
        )
    everything = np.ones(weights.rank, dtype=bool)
    right = _scaled(weights.right, pre[source], everything, scale)
    return replace(projection, weights=replace(weights, right=right))


def _readout(network: SpikingNetwork, readout: Readout, pre: Mask, scale: float) -> Readout:
    everywhere = np.ones(readout.size, dtype=bool)
    channels = tuple(
        replace(
            channel,
            weights=_scaled(channel.weights, pre[network.span(channel.source)], everywhere, scale),
        )
        for channel in readout.channels
    )
    return replace(readout, channels=channels)


def _scaled(weights: Matrix, pre: Mask, post: Mask, scale: float) -> Matrix:
    """Weights (post, pre), those from `pre` onto `post` multiplied by `scale`."""
    if isinstance(weights, np.ndarray):
        return np.where(post[:, None] & pre, scale * weights, weights)
    from scipy import sparse

    entries = sparse.coo_array(weights)
    hit = pre[entries.col] & post[entries.row]
    values = np.where(hit, scale * entries.data, entries.data)
    return sparse.csc_array((values, (entries.row, entries.col)), shape=entries.shape)
