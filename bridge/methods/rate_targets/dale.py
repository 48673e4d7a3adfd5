"""Dale's law: the connections of a fitted network anew, sparse and with a sign for each neuron.

The network that has learned runs on its own, so that its activity has the errors that it makes.
Each neuron's currents are then regressed on the filtered spikes of all, under the constraints.
"""

import math
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from bridge.arguments import of_kind, options_in
from bridge.blas_threads import threads_for
from bridge.methods.rate_targets.dale_options import DaleOptions
from bridge.methods.rate_targets.description import POPULATION
from bridge.methods.rate_targets.fitting import LearnerRun
from bridge.methods.rate_targets.judgement import apart, closed_loop
from bridge.methods.rate_targets.learner import TAU_FAST_MS, TAU_SLOW_MS
from bridge.methods.rate_targets.rebuilt import rebuilt
from bridge.methods.rate_targets.result import TargetFit
from bridge.methods.rate_targets.signed_weights import Moments, signed_weights
from bridge.progress import counter, told
from bridge.spiking.decay import decay_factor
from bridge.spiking.filters import Exponential
from bridge.spiking.network import Readout, SpikingNetwork
from bridge.spiking.projection import Projection

Array = NDArray[np.float64]

EXCITATORY, INHIBITORY = "excitatory", "inhibitory"
# Of so many times the connections that are kept, the best are chosen.
_CANDIDATES = 2
# Ten time constants of the slow traces.
_FILLED_MS = 10 * TAU_SLOW_MS


def with_dales_law(
    fit: TargetFit,
    *,
    on_progress: Callable[[float], None] | None = None,
    progress: bool = True,
    **options: Any,
) -> TargetFit:
    """A fitted network whose neurons only excite or only inhibit.

    Learned, random and inhibitory connections become new ones, slow and fast, from all neurons.
    Each neuron chooses among those of so many neurons, drawn at random, by least squares under
    constraints (`scipy.optimize.nnls`). Signs and sparsity are exact. The readout stays as it was.
    The network is judged on its own.

    Args:
        fit: Of `bridge.fit_targets`, with its checkpoint.
        on_progress: Called with the fraction done.
        progress: Show how far it is, in a terminal or notebook, where it takes more than two
            seconds and `on_progress` is not given.
        **options: Fields of `bridge.methods.rate_targets.dale_options.DaleOptions`.

    Returns:
        A fit with the new network, and without a checkpoint: nothing goes on learning.

    Raises:
        SpecError: an option makes no sense, or the fit has no checkpoint or task that is known.
        TrainingError: the solver did not come to an end.
    """
    known = of_kind("fit", fit, TargetFit)
    chosen = options_in(DaleOptions, options)
    draws = [replace(chosen, draws=1, seed=chosen.seed + each) for each in range(chosen.draws)]
    with told("fitting signed weights", on_progress, progress) as report:
        run = rebuilt(known)
        done = counter(chosen.trials + chosen.draws * known.network.size, report)
        recorded = _recorded(run, chosen, done)
        made = [_judged(known, run, _signed(known, run, recorded, one, done), one) for one in draws]
    return min(made, key=_loss)


def _loss(fit: TargetFit) -> tuple[float, int]:
    """What the best of several draws has least of: error, then wrong answers."""
    return math.inf if math.isnan(fit.error) else fit.error, -(fit.right or 0)


def _signed(
    fit: TargetFit,
    run: LearnerRun,
    recorded: tuple[Moments, Array],
    options: DaleOptions,
    done: Callable[[], None],
) -> SpikingNetwork:
    """The network with new connections, of one draw."""
    moments, traces = recorded
    size = fit.network.size
    signs = np.where(np.arange(size) < round(options.excitatory * size), 1.0, -1.0)
    weights = signed_weights(
        moments,
        np.tile(signs, 2),
        _candidates(size, options),
        max(1, round(2 * options.connected * size)),
        options.ridge,
        done,
    )
    s, y = moments.means()
    bias = run.learner.fixed.bias + y - weights @ s
    going_on = None if fit.trial is None else traces
    network = _with_weights(fit.network, weights, bias, going_on, signs)
    return replace(network, provenance={**fit.network.provenance, "dale": asdict(options)})


def _candidates(size: int, options: DaleOptions) -> Callable[[int], NDArray[np.int64]]:
    """Slow and fast regressors of neurons that are drawn anew for each target."""
    rng = np.random.default_rng(options.seed)
    most = max(1, min(size, round(_CANDIDATES * options.connected * size)))

    def drawn(target: int) -> NDArray[np.int64]:
        partners = np.sort(rng.permutation(size)[:most])
        return np.concatenate((partners, partners + size))

    return drawn


def _recorded(
    run: LearnerRun, options: DaleOptions, done: Callable[[], None]
) -> tuple[Moments, Array]:
    """Filtered spikes of all neurons and the currents that they get, and (2N,) the last traces.

    The currents are those that the network makes, not those that its teacher would give: they are
    sums of the filtered spikes, which weights without constraints would give back without error.
    """
    learner, size = run.learner, len(run.learner.v)
    left = np.repeat(
        [float(decay_factor(tau, run.plan.dt_ms)) for tau in (TAU_SLOW_MS, TAU_FAST_MS)], size
    )
    moments, now = Moments(2 * size, size), np.zeros(2 * size)
    # Of neurons that are not trained nothing is known of before: their traces are filled first.
    trained = learner.fixed.trained
    now[np.concatenate((trained, trained + size))] = learner.traces
    filling = math.ceil(_FILLED_MS / (run.plan.task.steps * run.plan.task.step_ms))
    for trial in range(filling + options.trials):
        lesson = run.lessons.next()
        if lesson.start is not None:
            now[:] = 0.0
        traces = np.empty((len(lesson.signals), 2 * size))
        currents = np.empty_like(lesson.forced)
        with threads_for(0):
            for step, _ in enumerate(learner.own_steps(lesson)):
                now *= left
                now[learner.spikes] += 1.0
                now[learner.spikes + size] += 1.0
                traces[step] = now
                currents[step] = learner.learned + learner.inhibition
                if learner.is_random:
                    currents[step] += learner.slow + learner.fast
        if trial >= filling:
            with threads_for(len(traces) * (2 * size) ** 2):
                moments.add(traces, currents)
            done()
    return moments, now


def _with_weights(
    old: SpikingNetwork, weights: Array, bias: Array, traces: Array | None, signs: Array
) -> SpikingNetwork:
    """A network with new connections between its neurons.

    Args:
        old: Of a fit; its input and its readout stay.
        weights: (N, 2N) slow, then fast ones, mV.
        bias: (N,) mV.
        traces: (2N,) filtered spikes from which it goes on; None: it begins at rest.
        signs: (N,) 1 or -1.
    """
    (population,) = old.populations
    kinds = tuple(EXCITATORY if sign > 0 else INHIBITORY for sign in signs)
    lif: Any = population.neurons
    neurons = replace(lif, bias_mv=bias)
    parts = zip(("slow", "fast"), (TAU_SLOW_MS, TAU_FAST_MS), np.split(weights, 2, axis=1),
                (None, None) if traces is None else np.split(traces, 2), strict=True)  # fmt: skip
    made, channels = [], []
    (readout,) = [each for each in old.readouts if isinstance(each, Readout)]
    for (name, tau_ms, part, trace), channel in zip(parts, readout.channels, strict=True):
        filter_ = Exponential(tau_ms=tau_ms, normalisation="jump")
        start = {} if trace is None else {"x": part @ trace}
        made.append(
            Projection(
                name=name, source=POPULATION, target=POPULATION, weights=sparse.csc_array(part),
                filter=filter_, initial_states=start,
            )
        )  # fmt: skip
        channels.append(replace(channel, initial_states={} if trace is None else {"x": trace}))
    stays = [part for part in old.projections if part.source != POPULATION]
    return replace(
        old,
        populations=(replace(population, neurons=neurons, cell_types=kinds),),
        projections=(*made, *stays),
        readouts=(replace(readout, channels=tuple(channels)),),
    )


def _judged(
    fit: TargetFit, run: LearnerRun, network: SpikingNetwork, options: DaleOptions
) -> TargetFit:
    """The new network on its own."""
    if fit.trial is None:
        found = apart(network, run.plan.task, options.test_trials, run.plan.options.seed)
    else:
        free = run.plan.options.free_running
        found = closed_loop(network, fit.trial, run.learner.v, options.test_trials, free=free)
    return replace(
        fit,
        network=network,
        start_mv=None if fit.trial is None else run.learner.v,
        errors=found.errors,
        rate_hz=found.rate_hz,
        shifts_ms=found.shifts_ms,
        right=found.right,
        checkpoint=None,
    )
