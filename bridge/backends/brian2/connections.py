"""What carries a projection in Brian2: synapses, and groups of neurons on the way.

Spikes of neurons with delays of their own would be delivered in the order in which they were fired.
They are relayed to a group of their own, which fires when they arrive: all that arrives in a step
is then added in the order of the neurons. Factored weights go through a group of K factors.
"""

from dataclasses import dataclass, field

import brian2

from bridge.backends.brian2.form import Form, ProjectionForm
from bridge.backends.brian2.operations import Sources, is_summed, sent, sums_current


@dataclass
class Connection:
    """Brian2 objects of a projection.

    Attributes:
        synapses: Those that hold weights: one for each factor, in the order in which they act.
        relay: Brings each neuron's spikes to its own filter, or to a group that fires later.
        late: Whether the relay takes each neuron's own time.
        between: Groups on the way.
    """

    synapses: list[brian2.Synapses]
    relay: brian2.Synapses | None = None
    late: bool = False
    between: list[brian2.NeuronGroup] = field(default_factory=list)

    def objects(self) -> list[brian2.BrianObject]:
        """All of them, with what they hold."""
        held = [part for group in self.between for part in (group, *group.contained_objects)]
        return [*held, *self.synapses, *([] if self.relay is None else [self.relay])]

    def connect(self, sources: Sources, number: int) -> None:
        """Make the synapses of projection `number`."""
        for factor, synapses in enumerate(self.synapses):
            sources.connect(synapses, number, factor)
        if self.relay is not None:
            self.relay.connect(j="i")
            if self.late:
                sources.delay(self.relay, number)


def connection(
    form: Form, number: int, groups: list[brian2.NeuronGroup], clock: brian2.Clock
) -> Connection:
    """The objects of a projection between `groups`, the populations; not yet connected."""
    projection = form.projections[number]
    source, target = groups[projection.source], groups[projection.target]
    made = Connection(synapses=[], late=projection.late and not projection.graded)
    if projection.side == "pre" and not projection.graded:
        made.relay = _relay(form, number, source, source)
    elif made.late:
        later = _later(form, number, clock)
        made.between.append(later)
        made.relay = _relay(form, number, source, later)
        source = later
    if projection.rank:
        factors = _factors(form, number, clock)
        made.between.append(factors)
        made.synapses += [
            _into_factors(form, number, source, factors),
            _summed(f"outer_{number}", factors, target, f"sum_{number}", "x"),
        ]
        _when_summed(form, number, made.synapses[-1])
    else:
        made.synapses.append(_synapses(form, number, source, target))
    return made


def slot_of(form: Form, slot: str, stage: int) -> str:
    """The slot of a stage; its name may stand after "before_" or "after_"."""
    return slot if form.stages == 1 else f"{slot}_{stage}"


def _arrival_slot(form: Form, projection: ProjectionForm) -> str:
    """The slot in which what a population emits arrives."""
    stage = form.populations[projection.source].stage
    return slot_of(form, "synapses", stage) if projection.within_step else "synapses"


def _current_slot(form: Form, projection: ProjectionForm) -> str:
    """The slot of the target's step, in which sums are brought up to date first."""
    return slot_of(form, "groups", form.populations[projection.target].stage)


def _synapses(
    form: Form, number: int, source: brian2.NeuronGroup, target: brian2.NeuronGroup
) -> brian2.Synapses:
    """The synapses of weights that are not factored."""
    projection = form.projections[number]
    if not is_summed(projection):
        return _spread(form, number, source, target, f"arrived_{number}")
    held = _held(projection, number)
    synapses = _summed(f"synapses_{number}", source, target, f"sum_{number}", held)
    _when_summed(form, number, synapses)
    return synapses


def _held(projection: ProjectionForm, number: int) -> str:
    """The variable of the presynaptic side that is summed."""
    if sums_current(projection) and (projection.states or not projection.graded):
        return projection.output
    return sent(projection, number)


def _when_summed(form: Form, number: int, synapses: brian2.Synapses) -> None:
    """Set when a sum for the target is made."""
    projection = form.projections[number]
    (updater,) = synapses.summed_updaters.values()
    if sums_current(projection):
        updater.when = _current_slot(form, projection)
    else:
        slot = _arrival_slot(form, projection)
        # Before the filters, which come after it, too: a sum is the first thing in its slot.
        updater.when = f"after_{slot}" if projection.rank else slot


def _spread(
    form: Form, number: int, source: brian2.NeuronGroup, target: brian2.NeuronGroup, into: str
) -> brian2.Synapses:
    """Synapses by which spikes add weights to a variable of the target."""
    projection, clock = form.projections[number], target.clock
    synapses = brian2.Synapses(
        source,
        target,
        "w : 1",
        on_pre=f"{into}_post += w",
        delay=projection.delay_steps * clock.dt,
        clock=clock,
        name=f"synapses_{number}",
    )
    synapses.pre.when = _arrival_slot(form, projection)
    return synapses


def _summed(
    name: str, source: brian2.NeuronGroup, target: brian2.NeuronGroup, into: str, held: str
) -> brian2.Synapses:
    """Synapses by which a variable of the target becomes the weighted sum of one of the source."""
    return brian2.Synapses(
        source,
        target,
        f"w : 1\n{into}_post = w * {held}_pre : 1 (summed)",
        clock=target.clock,
        name=name,
    )


def _relay(
    form: Form, number: int, source: brian2.NeuronGroup, to: brian2.NeuronGroup
) -> brian2.Synapses:
    """Brings each neuron's spikes to its own filter, or to a group that fires later."""
    projection, clock = form.projections[number], source.clock
    relay = brian2.Synapses(
        source,
        to,
        on_pre=f"arrived_{number}_post += 1",
        **({} if projection.late else {"delay": projection.delay_steps * clock.dt}),
        clock=clock,
        name=f"relay_{number}",
    )
    slot = _arrival_slot(form, projection)
    # One that fires later is to do so before what it sends is spread.
    relay.pre.when = slot if to is source else f"after_{slot.replace('synapses', 'thresholds')}"
    return relay


def _later(form: Form, number: int, clock: brian2.Clock) -> brian2.NeuronGroup:
    """Neurons that fire when spikes arrive, before these are spread."""
    size = form.populations[form.projections[number].source].size
    later = brian2.NeuronGroup(
        form.trials * size,
        f"arrived_{number} : 1",
        threshold=f"arrived_{number} > 0.5",
        reset=f"arrived_{number} = 0",
        clock=clock,
        name=f"later_{number}",
    )
    later.thresholder["spike"].when = f"before_{_arrival_slot(form, form.projections[number])}"
    return later


def _factors(form: Form, number: int, clock: brian2.Clock) -> brian2.NeuronGroup:
    """The K factors, in which what arrives is summed for the first time."""
    projection = form.projections[number]
    factors = brian2.NeuronGroup(
        form.trials * projection.rank, "x : 1", clock=clock, name=f"factors_{number}"
    )
    if _spreads(projection):
        factors.run_regularly("x = 0", clock=clock, when="resets")
    return factors


def _spreads(projection: ProjectionForm) -> bool:
    """Whether spikes are spread, not a variable summed."""
    return projection.side == "post" and not projection.graded


def _into_factors(
    form: Form, number: int, source: brian2.NeuronGroup, factors: brian2.NeuronGroup
) -> brian2.Synapses:
    projection = form.projections[number]
    if _spreads(projection):
        return _spread(form, number, source, factors, "x")
    synapses = _summed(f"synapses_{number}", source, factors, "x", _held(projection, number))
    (updater,) = synapses.summed_updaters.values()
    updater.when = _arrival_slot(form, projection)
    if sums_current(projection):
        updater.when = f"before_{_current_slot(form, projection)}"
    return synapses
