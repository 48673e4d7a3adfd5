"""Training of Spiking Recurrent Cells on pictures; every update follows from its number alone."""

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from bridge.arguments import callback, flag, of_kind
from bridge.backends.devices import room_on
from bridge.backends.torch_settings import own_settings
from bridge.errors import SpecError, TrainingError
from bridge.methods.src.description import described
from bridge.methods.src.module import Activity, SrcModule
from bridge.methods.src.plan import SrcPlan, plan_src
from bridge.methods.src.trained import TrainedNetwork
from bridge.progress import telling
from bridge.rate.adam import Adam
from bridge.rate.interrupts import interrupts_held
from bridge.rate.learning import Checkpoint, History
from bridge.tasks.images.event_files import EventPictures
from bridge.tasks.images.pictures import Pictures
from bridge.tasks.images.task import ImageTask
from bridge.versions import version

# What is drawn for the order of an epoch, for the spikes of an update, and for evaluations; the
# weights have stream 0.
_ORDER, _SPIKES, _EVALUATION = 1, 2, 3
# Most pictures of an evaluation at once.
_AT_ONCE = 128
_LEAST_RATE = 0.02


@dataclass(frozen=True)
class SrcProgress:
    """Where training is.

    Attributes:
        update: Updates made.
        updates: All there will be.
        loss: Of the last evaluation; None before the first.
        accuracy: The same.
    """

    update: int
    updates: int
    loss: float | None
    accuracy: float | None

    def told(self) -> str:
        """How good the network is, in words."""
        if self.loss is None or self.accuracy is None:
            return ""
        return f"loss {self.loss:.3f}, accuracy {self.accuracy:.1%}"


def train_src(
    task: str | ImageTask,
    *,
    resume: TrainedNetwork | None = None,
    on_progress: Callable[[SrcProgress], None] | None = None,
    progress: bool = True,
    **options: Any,
) -> TrainedNetwork:
    """Train layers of Spiking Recurrent Cells on pictures (De Geeter, Ernst & Drion 2023).

    A KeyboardInterrupt ends it early with what there is.

    Args:
        task: "digits", "mnist", "fashion-mnist" or "n-mnist", with options as in
            "digits:latency,shown=50".
        resume: Go on with this unfinished network, as if it had never stopped; no options then.
        on_progress: Called a few times an epoch.
        progress: Show how far it is, in a terminal or notebook, where it takes more than two
            seconds and `on_progress` is not given.
        **options: Fields of `bridge.methods.src.options.SrcOptions`: layers, epochs, seed, ...

    Raises:
        SpecError: an option or the task makes no sense.
        FormatError: the files of the pictures are missing or damaged.
        TrainingError: training diverged.
    """
    resume = None if resume is None else of_kind("resume", resume, TrainedNetwork)
    given, wanted = callback("on_progress", on_progress), flag("progress", progress)
    plan = plan_src(task, resume=resume, **options)
    with telling("training", wanted=wanted and given is None) as teller:
        shown = None if teller is None else lambda p: teller(p.update / p.updates, p.told())
        return train_src_as_planned(plan, resume=resume, on_progress=given or shown)


@dataclass
class _Run:
    """A training in progress."""

    plan: SrcPlan
    module: SrcModule
    adam: Adam
    updates: int = 0
    history: list[tuple[int, float, float]] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)


def train_src_as_planned(
    plan: SrcPlan,
    *,
    resume: TrainedNetwork | None = None,
    on_progress: Callable[[SrcProgress], None] | None = None,
) -> TrainedNetwork:
    """As `train_src`, of arguments that are held against each other already."""
    # Silent cells let numbers decay until they are subnormal, which takes a processor long.
    room = room_on(torch.device("cpu"), "use smaller layers or batches", ("layers", "batch"))
    with own_settings(gradients=True, flush_denormals=True), room:
        run = _started(plan)
        if resume is not None:
            _restore(run, resume)
        try:
            with interrupts_held() as interrupted:
                while run.updates < plan.updates:
                    _update(run)
                    if run.updates % plan.updates_of_epoch == 0:
                        run.history.append((run.updates, *_evaluated(run)))
                    _report(run, on_progress)
                    if interrupted.is_set():
                        raise KeyboardInterrupt
        except KeyboardInterrupt:
            return _network(run, "interrupted")
        return _network(run, "finished")


def _started(plan: SrcPlan) -> _Run:
    module = SrcModule(plan.task.input_size, plan.task.output_size, plan.options)
    return _Run(plan, module, Adam(list(module.trained().values()), 0.0))


def _update(run: _Run) -> None:
    """One step of Adam; which pictures and which spikes depends on its number alone."""
    plan = run.plan
    epoch, number = divmod(run.updates, plan.updates_of_epoch)
    seed, batch = plan.options.seed, plan.options.batch
    order = np.random.default_rng((seed, _ORDER, epoch)).permutation(len(plan.learning.labels))
    shown = plan.learning.chosen(np.sort(order[number * batch : (number + 1) * batch]))
    rng = np.random.default_rng((seed, _SPIKES, run.updates))
    loss = _loss(run, _outputs(run, shown, rng), shown)
    if not math.isfinite(loss.item()):
        raise TrainingError(
            f"training of seed {seed} diverged after {run.updates} updates; lower the learning_rate"
        )
    run.adam.zero_grad()
    torch.autograd.backward(loss)
    _set_rates(run)
    run.adam.step()
    run.updates += 1


def _outputs(run: _Run, shown: Pictures | EventPictures, rng: np.random.Generator) -> Tensor:
    outputs: Tensor = run.module(_spikes(run, shown, rng))
    return outputs


def _spikes(run: _Run, shown: Pictures | EventPictures, rng: np.random.Generator) -> Tensor:
    """(T, B, C) in which pictures are shown."""
    return torch.from_numpy(run.plan.task.encoding.spikes(shown, rng)).to(torch.float32)


def _loss(run: _Run, outputs: Tensor, shown: Pictures | EventPictures) -> Tensor:
    labels = torch.from_numpy(shown.labels)
    return nn.functional.cross_entropy(outputs * run.plan.options.sharpness, labels)


def _set_rates(run: _Run) -> None:
    """The learning rate of each parameter in this update."""
    share = rate_share(run.updates, run.plan.updates_of_epoch, run.plan.updates)
    options = run.plan.options
    run.adam.rates = [
        share * (options.learning_rate if name == "weights_0" else options.deep_learning_rate)
        for name in run.module.trained()
    ]


def rate_share(update: int, warm: int, updates: int) -> float:
    """Share of the learning rate in an update: rising over the first epoch, then a cosine."""
    if update < warm:
        return (update + 1) / warm
    done = (update - warm) / max(1, updates - warm)
    return _LEAST_RATE + (1 - _LEAST_RATE) * (1 + math.cos(math.pi * done)) / 2


@torch.no_grad()
def _evaluated(run: _Run) -> tuple[float, float]:
    """Mean loss and accuracy of the pictures that are set aside, or of the first ones."""
    pictures = run.plan.evaluated
    total = right = 0.0
    there = len(pictures.labels)
    rng = np.random.default_rng((run.plan.options.seed, _EVALUATION, run.updates))
    for first in range(0, there, _AT_ONCE):
        shown = pictures.chosen(np.arange(first, min(first + _AT_ONCE, there)))
        outputs = _outputs(run, shown, rng)
        total += _loss(run, outputs, shown).item() * len(shown.labels)
        right += float((outputs.argmax(1).numpy() == shown.labels).sum())
    return total / there, right / there


def _activity(run: _Run) -> list[Activity]:
    """How much each layer spikes on the pictures of an evaluation."""
    pictures = run.plan.evaluated
    shown = pictures.chosen(np.arange(min(_AT_ONCE, len(pictures.labels))))
    rng = np.random.default_rng((run.plan.options.seed, _EVALUATION, run.updates))
    return run.module.activity(_spikes(run, shown, rng))


def _report(run: _Run, on_progress: Callable[[SrcProgress], None] | None) -> None:
    if on_progress is None:
        return
    _, loss, accuracy = run.history[-1] if run.history else (0, None, None)
    on_progress(SrcProgress(run.updates, run.plan.updates, loss, accuracy))


@torch.no_grad()
def _restore(run: _Run, resume: TrainedNetwork) -> None:
    """Put a training where a checkpoint was made."""
    kept = resume.checkpoint
    if kept is None:
        raise SpecError("resume: this network's training is finished")
    run.updates = kept.updates
    for name, parameter in run.module.trained().items():
        parameter.copy_(torch.tensor(kept.parameters[name]))
        run.adam.state[parameter] = {
            "step": torch.tensor(float(kept.updates)),
            "exp_avg": torch.tensor(kept.moment1[name]),
            "exp_avg_sq": torch.tensor(kept.moment2[name]),
        }
    past = resume.history
    columns = (past.update.tolist(), past.loss.tolist(), past.accuracy.tolist())
    run.history[:] = zip(*columns, strict=True)


def _checkpoint(run: _Run) -> Checkpoint:
    parts: dict[str, dict[str, Any]] = {"parameters": {}, "moment1": {}, "moment2": {}}
    for name, parameter in run.module.trained().items():
        state = run.adam.state.get(parameter, {})
        zeros = torch.zeros_like(parameter)
        parts["parameters"][name] = parameter.detach().numpy()
        parts["moment1"][name] = state.get("exp_avg", zeros).numpy()
        parts["moment2"][name] = state.get("exp_avg_sq", zeros).numpy()
    return Checkpoint(updates=run.updates, **parts)


def _network(run: _Run, stopped: str) -> TrainedNetwork:
    update, loss, accuracy = zip(*run.history, strict=True) if run.history else ((), (), ())
    weights = [each.detach().numpy().astype(np.float64) for each in run.module.weights]
    made = {
        "activity": [asdict(layer) for layer in _activity(run)],
        "made_by": f"spikebridge {version('spikebridge')}",
        "package": f"torch {version('torch')}",
        "updates": run.updates,
        "stopped": stopped,
        "seconds": round(time.monotonic() - run.began, 1),
    }
    history = History(
        update=np.asarray(update, np.int64), loss=np.asarray(loss), accuracy=np.asarray(accuracy)
    )
    return TrainedNetwork(
        network=described(run.plan.task, run.plan.options, weights, run.module.biases(), made),
        history=history,
        checkpoint=None if stopped == "finished" else _checkpoint(run),
    )
