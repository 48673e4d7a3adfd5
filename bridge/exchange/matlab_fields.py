"""A network as the fields of a `.mat` file that the code of Kim et al. 2019 runs.

The inverse of `bridge.exchange.matlab.read`; every number is a double, in the authors' shapes.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.exchange.formats import Encoded
from bridge.exchange.hdf5 import checksum
from bridge.exchange.mat5 import mat_bytes
from bridge.exchange.som_motif import PV, PYR, SOM, mask_of
from bridge.exchange.spiking_networks import network_to_tree
from bridge.methods.one_to_one import DEFAULT, ORIGINAL, map_one_to_one
from bridge.methods.scale_search import Conversion, ScaleSearch, Search
from bridge.rate.network import RateNetwork
from bridge.spiking.network import SpikingNetwork
from bridge.versions import version

if TYPE_CHECKING:
    from bridge.exchange.store import Stored

Array = NDArray[np.float64]

STEP_MS = 5.0
"""The step of the rate network, which the authors' code takes for granted."""

# Likewise: s.d. of the noise in a step, and of the state at the start.
_NOISE_SD, _INITIAL_SD = 0.1, 0.01


def encode(thing: "Stored") -> Encoded:
    """A rate network or a conversion as a `.mat` file.

    w0 and taus_gaus0, which the authors keep from before training, are not known and hold NaN.

    Raises:
        SpecError: it is something else, or what the authors' code could not run.
    """
    if not isinstance(thing, RateNetwork | Conversion):
        raise SpecError(
            f"the format matlab holds rate networks and conversions, not a {type(thing).__name__}"
        )
    rate = thing if isinstance(thing, RateNetwork) else thing.rate
    _check_rate(rate)
    mask, notes = _mask(rate)
    fields = _weights(rate) | _units(rate) | {"som_m": mask} | _time_constants(rate.tau_ms)
    if isinstance(thing, Conversion):
        _check_mapping(thing)
        fields |= _search(thing.search)
        notes += _bias_notes(thing.network)
    return Encoded(content=mat_bytes(fields), notes=(*notes, *_notes(rate)))


def _check_rate(rate: RateNetwork) -> None:
    other = [*(["the activation tanh"] if rate.activation == "tanh" else [])]
    other += rate.told_units().values()
    if other:
        raise SpecError(
            f"the format matlab holds networks that the authors' code runs, and not units with "
            f"{' and '.join(other)}"
        )
    if len(rate.w_out) != 1:
        raise SpecError(f"the format matlab holds one output, this network has {len(rate.w_out)}")
    if rate.dt_ms != STEP_MS:
        raise SpecError(
            f"the format matlab holds networks with steps of {STEP_MS:g} ms, this one has "
            f"{rate.dt_ms:g} ms"
        )


def _check_mapping(conversion: Conversion) -> None:
    """Raise SpecError unless the spiking network is the one the authors' code would make.

    An output bias makes no difference: the file holds it, as one of the rate network.
    """
    search = conversion.search
    theirs = (
        [map_one_to_one(conversion.rate, search.best_inverse_scale, o) for o in (DEFAULT, ORIGINAL)]
        if isinstance(search, ScaleSearch)
        else []
    )
    if _content(conversion.network) not in map(_content, theirs):
        raise SpecError(
            "the format matlab holds LIF networks as the authors' code maps them, and this one has "
            "other neurons, synapses or weights; its rate network alone can be exported"
        )


def _content(network: SpikingNetwork) -> str:
    """The checksum of all but the provenance."""
    tree = network_to_tree(network)
    del tree["provenance"]
    return checksum(tree)


def _weights(rate: RateNetwork) -> dict[str, Any]:
    signs = _signs(rate)
    return {
        # Zero has a sign too, which -1 * 0 would leave behind.
        "w": rate.recurrent * signs + 0.0,
        "w0": np.full_like(rate.recurrent, np.nan),
        "m": np.diag(signs),
        "w_in": rate.w_in,
        "w_out": rate.w_out,
        "b_out": rate.b_out[:, None],
    }


def _units(rate: RateNetwork) -> dict[str, Any]:
    som, inhibitory = _som(rate), _signs(rate) < 0
    return {
        "N": float(rate.size),
        "inh": inhibitory[:, None],
        "exc": ~inhibitory[:, None],
        "inh_som": som[:, None],
        "som_N": float(som.sum()),
        "activation": "clipped_relu" if rate.activation == "relu" else rate.activation,
        # The authors' code reads neither; importing takes the task from here, not from the name.
        "task": rate.task or "none",
        "made_by": f"spikebridge {version('spikebridge')}",
    }


def _signs(rate: RateNetwork) -> Array:
    """(N,) 1 and -1; all 1 without Dale's law, as in the authors' code."""
    return np.ones(rate.size) if rate.excitatory is None else np.where(rate.excitatory, 1.0, -1.0)


def _som(rate: RateNetwork) -> NDArray[np.bool_]:
    """(N,) which units are called SOM."""
    return np.array([name == SOM for name in rate.cell_types or [""] * rate.size])


def _mask(rate: RateNetwork) -> tuple[Array, list[str]]:
    """The mask of the SOM motif, all open without one; and what it does not hold."""
    everything = np.ones((rate.size, rate.size))
    if rate.cell_types is None:
        return everything, []
    som, inhibitory = _som(rate), _signs(rate) < 0
    fit = np.where(som, SOM, np.where(inhibitory, PV, PYR))
    if not np.array_equal(fit, rate.cell_types) or not np.all(inhibitory[som]):
        return everything, ["the cell types are not held: the format knows PYR, PV and SOM alone"]
    mask = mask_of(rate.recurrent, som, inhibitory) if som.any() else everything
    if mask is None:
        return everything, ["the weights do not follow the motif of SOM units: som_m is all ones"]
    return mask, []


def _time_constants(tau_ms: Array) -> dict[str, Array]:
    """`taus` in steps, and the gates `taus_gaus` whose sigmoid gives each unit's."""
    steps = tau_ms / STEP_MS
    low, high = float(steps.min()), float(steps.max())
    unknown = np.full((steps.size, 1), np.nan)
    if low == high:
        gates = np.zeros((steps.size, 1))
        return {"taus": np.array([[low]]), "taus_gaus": gates, "taus_gaus0": unknown}
    # A sigmoid reaches neither end: the range must be wider than what lies in it.
    first = np.ceil(low) - 1 if low > 1 else low / 2
    last = np.floor(high) + 1
    gates = np.log((steps - first) / (last - steps))
    return {
        "taus": np.array([[first, last]]),
        "taus_gaus": gates[:, None],
        "taus_gaus0": unknown,
    }


def _search(search: Search) -> dict[str, Array]:
    """As the authors' search appends it: accuracies are shares of 1."""
    if not isinstance(search, ScaleSearch):
        return {}
    chosen = {"opt_scaling_factor": np.array([[search.best_inverse_scale]])}
    # The format has a place for accuracies and none for another number.
    if search.correct is None:
        return chosen
    return chosen | {
        "all_perfs": search.accuracies()[:, None],
        "scaling_factors": search.inverse_scales[None],
    }


def _bias_notes(network: SpikingNetwork) -> list[str]:
    biases = [np.abs(np.asarray(readout.bias)).max() for readout in network.decoded[:1]]
    largest = float(max(biases, default=0.0))
    if not largest:
        return []
    return [
        f"the output bias (up to {largest:.3g}) stands in the field b_out, which the authors' code "
        "leaves out of the spiking network"
    ]


def _notes(rate: RateNetwork) -> list[str]:
    notes = []
    if rate.activation != "sigmoid":
        notes.append(
            f"the activation {rate.activation} stands in the field activation, which the authors' "
            "code does not read"
        )
    if (rate.noise_sd, rate.initial_sd) != (_NOISE_SD, _INITIAL_SD):
        notes.append(
            f"noise_sd {rate.noise_sd:g} and initial_sd {rate.initial_sd:g} are not held: the "
            f"authors' code takes {_NOISE_SD:g} and {_INITIAL_SD:g}"
        )
    return notes
