"""A readout fitted to spikes: ridge regression on filtered spikes, beyond Kim et al. 2019.

The one-to-one mapping keeps the rate network's output weights, which suit its rates. Recurrence
and spikes stay as they are here; only what is read from them is fitted to the task's targets, or
to the rate network's output where no task says what is wanted.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.arguments import of_kind
from bridge.backends import simulate
from bridge.errors import SpecError
from bridge.methods.scoring import REFIT, needed_task, quick_run
from bridge.methods.shown_trials import Shown, TaskTrials
from bridge.progress import told
from bridge.spiking.arrays import counted
from bridge.spiking.decoding import decode
from bridge.spiking.network import Readout, SpikingNetwork
from bridge.spiking.recording import Spikes

Array = NDArray[np.float64]

# Penalties tried, in units of the mean variance of a filtered neuron.
PENALTIES = np.array([10.0 ** (power / 2) for power in range(-12, 4)])

# One trial in so many is held out to choose the penalty with.
_HELD_OUT = LEAST_TRIALS = 5


def refit_readout(
    network: SpikingNetwork,
    *,
    trials: int = 100,
    seed: int = 0,
    backend: str | None = None,
    on_progress: Callable[[float], None] | None = None,
    progress: bool = True,
    **options: Any,
) -> SpikingNetwork:
    """The same network, its readout fitted to the task's targets on trials of its own.

    The penalty is the one with the least mean squared error in a fifth of the trials, when fitted
    to the rest. All of them then give the weights. Search, comparison and `score` have other
    trials, whatever the seed.

    Args:
        network: A network with a task and one readout; of a conversion its spiking network.
        trials: How many, at least 5.
        seed: Decides trials and noise.
        backend: Where they run, as in `bridge.simulate` (snntorch takes float32 unless stated
            otherwise); None: the quickest that can run here, compiled or snntorch.
        on_progress: Called with the fraction done.
        progress: Show how far it is, in a terminal or notebook, where it takes more than two
            seconds and `on_progress` is not given.
        **options: Those of the backend, as in `bridge.simulate`.

    Raises:
        SpecError: no task, not one readout, too few trials, or outputs that the task lacks.
    """
    network = of_kind("network", network, SpikingNetwork)
    given: dict[str, Any] = {"seed": seed, "backend": backend, **options}
    _check(network, trials)
    source = TaskTrials(task=needed_task(network), count=trials, seed=seed)
    with told("refitting the readout", on_progress, progress) as report:
        return refit_on(source.shown(REFIT), network, on_progress=report, **given)


def _check(network: SpikingNetwork, trials: int) -> None:
    """Raise SpecError unless there are trials enough, and one readout."""
    counted("trials to refit the readout", trials, least=_HELD_OUT)
    if len(network.readouts) != 1:
        raise SpecError(f"one readout can be refitted, this network has {len(network.readouts)}")
    for state in network.shown_states:
        raise SpecError(f"readout {state.name} is a state of {state.source}: it has no weights")


def refit_on(
    shown: Shown,
    network: SpikingNetwork,
    *,
    seed: int,
    backend: str,
    on_progress: Callable[[float], None] | None = None,
    **options: Any,
) -> SpikingNetwork:
    """As `refit_readout`, on trials of whatever source."""
    _check(network, shown.count)
    (readout,) = network.decoded
    recording = simulate(
        network,
        shown.drive(),
        on_progress=on_progress,
        **quick_run(network, backend, options),
    )
    traces = filtered_spikes(network, readout, recording.spikes)
    weights, bias, penalty = _fitted(traces, shown.trials.targets)
    note = {"readout_penalty": penalty, "readout_trials": shown.count, "readout_seed": seed}
    provenance = {**network.provenance, "readout": "ridge regression on filtered spikes", **note}
    changed = _with_weights(readout, weights, bias)
    return replace(network, readouts=(changed,), provenance=provenance)


def filtered_spikes(network: SpikingNetwork, readout: Readout, spikes: Spikes) -> Array:
    """What the channels of a readout weigh, at the end of each sample: (T, B, M) in Hz.

    M runs through the neurons of all channels, one channel after the other.
    """
    each = [channel.weights.shape[1] for channel in readout.channels]
    # A readout of as many outputs as neurons, each with the weight 1.
    rows = np.split(np.eye(sum(each)), np.cumsum(each)[:-1], axis=1)
    plain = [replace(c, weights=part) for c, part in zip(readout.channels, rows, strict=True)]
    bare = replace(network, readouts=(Readout(name=readout.name, channels=tuple(plain)),))
    return decode(bare, spikes)[readout.name]


def _fitted(traces: Array, targets: Array) -> tuple[Array, Array, float]:
    """Weights (O, M), bias (O,) and the penalty of the held-out trials' choice."""
    held = np.arange(traces.shape[1]) % _HELD_OUT == 0
    weights, biases = ridge(_rows(traces[:, ~held]), _rows(targets[:, ~held]), PENALTIES)
    seen, wanted = _rows(traces[:, held]), _rows(targets[:, held])
    pairs = zip(weights, biases, strict=True)
    errors = [np.mean((seen @ weight.T + bias - wanted) ** 2) for weight, bias in pairs]
    best = PENALTIES[np.argmin(errors)]
    (weight,), (bias,) = ridge(_rows(traces), _rows(targets), np.array([best]))
    return weight, bias, float(best)


def _rows(values: Array) -> Array:
    """(T, B, M) as (T B, M)."""
    return values.reshape(-1, values.shape[2])


def ridge(x: Array, z: Array, penalties: Array) -> tuple[Array, Array]:
    """Weights w and biases b that minimise |x w + b - z|^2 + penalty v S |w|^2.

    v is the mean variance of the columns of x, so that a penalty means the same for any units and
    any number of rows; the bias is not penalised.

    Args:
        x: (S, M) filtered spikes.
        z: (S, O) targets.
        penalties: (P,) positive.

    Returns:
        (P, O, M) weights and (P, O) biases.
    """
    middle, target = x.mean(axis=0), z.mean(axis=0)
    centred = x - middle
    values, vectors = np.linalg.eigh(centred.T @ centred)
    projected = vectors.T @ (centred.T @ (z - target))
    # A network that never fires has no variance: its weights are then zero.
    unit = max(float(values.sum()), 1e-300) / values.size
    weights = np.array(
        [(vectors @ (projected / (values + p * unit)[:, None])).T for p in penalties]
    )
    return weights, target - weights @ middle


def _with_weights(readout: Readout, weights: Array, bias: Array) -> Readout:
    sizes = [channel.weights.shape[1] for channel in readout.channels]
    parts = np.split(weights, np.cumsum(sizes)[:-1], axis=1)
    channels = [
        replace(channel, weights=part)
        for channel, part in zip(readout.channels, parts, strict=True)
    ]
    return Readout(name=readout.name, channels=tuple(channels), bias=bias)
