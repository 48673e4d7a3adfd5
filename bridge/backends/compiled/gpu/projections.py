"""A projection in the text of a kernel: its filter, its delays, and what arrives over it."""

from bridge.backends.compiled.form import Form, ProjectionForm
from bridge.backends.compiled.gpu.sheet import KernelSheet
from bridge.backends.compiled.projections import arrive, decay_lines, enter


def is_train(form: Form, part: ProjectionForm) -> bool:
    """Whether its source is an input that emits spikes."""
    return part.source >= len(form.populations)


def declare(sheet: KernelSheet, form: Form, number: int) -> None:
    """What a projection is given, and what it keeps from step to step."""
    part = form.projections[number]
    sheet.array(f"weights_{number}")
    for name in part.constants:
        sheet.row(f"filter_{number}_constant_{name}", part.target)
    for state in part.states:
        start = f"zero_{part.target}"
        if state in part.started:
            start = f"tl.load({sheet.array(f'filter_{number}_start_{state}')} + i_{part.target})"
        sheet.let(f"filter_{number}_{state}", start)
    if not part.states:
        sheet.let(f"current_{number}", f"zero_{part.target}")
    if part.source < 0:
        _declare_samples(sheet, part, number)
    elif is_train(form, part):
        _declare_train(sheet, number)
    elif part.delayed:
        _declare_ring(sheet, part, number)


def _declare_samples(sheet: KernelSheet, part: ProjectionForm, number: int) -> None:
    """The samples of an analog input, and the step in which the next of them is taken."""
    for name in (f"channels_{number}", f"first_channel_{number}"):
        sheet.number(name)
    if part.states:
        sheet.let(f"weighted_{number}", f"zero_{part.target}")
    if not part.own_delays:
        sheet.number(f"delay_{number}")
        sheet.let(f"changes_{number}", f"delay_{number}")
        return
    delays, channel = sheet.array(f"delays_{number}"), f"c{number}"
    sheet.size(channel)
    there = f"mask=i_{channel} < channels_{number}"
    sheet.let(f"delays_{number}", f"tl.load({delays} + i_{channel}, {there}, other=-1)")
    sheet.let(f"changes_{number}", f"delays_{number}")


def _declare_train(sheet: KernelSheet, number: int) -> None:
    """The spikes of an input by when they arrive, trial after trial."""
    for part in ("steps", "units"):
        sheet.array(f"arriving_{part}_{number}")
    first = sheet.array(f"arriving_first_{number}")
    sheet.let(f"next_{number}", f"tl.load({first} + trial)")
    sheet.let(f"last_{number}", f"tl.load({first} + trial + 1)")


def _declare_ring(sheet: KernelSheet, part: ProjectionForm, number: int) -> None:
    """Which neurons' spikes will arrive in each of the next steps."""
    sheet.number(f"ring_turns_{number}")
    sheet.array(f"ring_{number}")
    if part.own_delays:
        delays, source = sheet.array(f"delays_{number}"), part.source
        there = f"mask=there_{source}, other=0"
        sheet.let(f"delays_{number}", f"tl.load({delays} + i_{source}, {there})")
    else:
        sheet.number(f"delay_{number}")


def look_lines(sheet: KernelSheet, form: Form, number: int) -> None:
    """Take the samples of an analog input that act from this step on."""
    part = form.projections[number]
    due = f"changes_{number} == step"
    if part.own_delays:
        sheet.let(f"due_{number}", due)
        due = f"tl.max(due_{number}.to(tl.int32), axis=0) > 0"
    delays = f"delays_{number}" if part.own_delays else f"delay_{number}"
    with sheet.block(f"if {due}"):
        sheet.let(f"sample_{number}", _sample(delays))
        after = f"(sample_{number} + 1) * sample_steps - offset_steps + {delays}"
        if part.own_delays:
            after = f"tl.where(due_{number}, {after}, changes_{number})"
        sheet.put(f"changes_{number}", after)
        into = f"weighted_{number}" if part.states else f"current_{number}"
        sheet.let(into, f"zero_{part.target}")
        with sheet.block(f"for channel_{number} in range(channels_{number})"):
            _add_channel(sheet, part, number, into)


def _sample(delay: str) -> str:
    """The number of the sample that acts in this step."""
    return f"tl.minimum((step - {delay} + offset_steps) // sample_steps, samples - 1)"


def _add_channel(sheet: KernelSheet, part: ProjectionForm, number: int, into: str) -> None:
    at, mask = f"sample_{number}", ""
    if part.own_delays:
        sheet.let(f"late_{number}", f"tl.load(delays_{number}_at + channel_{number})")
        sheet.let(f"at_{number}", _sample(f"late_{number}"))
        at, mask = f"at_{number}", f", mask=step >= late_{number}, other=0.0"
    place = f"({at} * trials + trial) * channels + first_channel_{number} + channel_{number}"
    sheet.let(f"shown_{number}", f"tl.load(inputs_at + {place}{mask})")
    weights = _weights(part, number, f"channel_{number}")
    sheet.put(into, f"{into} + shown_{number} * {weights}")


def _weights(part: ProjectionForm, number: int, pre: str) -> str:
    """The weights of a presynaptic neuron, a number of 64 bits, onto all neurons of the target."""
    row = f"{pre} * BLOCK_{part.target}"
    return f"tl.load(weights_{number}_at + {row} + i_{part.target})"


def decay(sheet: KernelSheet, form: Form, number: int) -> None:
    """The decay of a filter."""
    if form.projections[number].states:
        decay_lines(sheet, form, number)


def take_lines(sheet: KernelSheet, form: Form, number: int) -> None:
    """What arrives over a projection in this step."""
    part = form.projections[number]
    if part.source < 0:
        enter(sheet, part, number, "", f"weighted_{number}")
        return
    if not part.states:
        sheet.put(f"current_{number}", f"zero_{part.target}")
    if is_train(form, part):
        _take_train(sheet, part, number)
    else:
        _take_spikes(sheet, part, number)


def _take_train(sheet: KernelSheet, part: ProjectionForm, number: int) -> None:
    """Spikes of an input, ascending: as many as arrive in this step.

    They are counted before any is taken: Triton 3.7 compiles no loop that adds rows until a number
    which it reads itself says so.
    """
    until = f"until_{number}"
    there = f"{until} < last_{number}"
    when = f"tl.load(arriving_steps_{number}_at + {until}, mask={there}, other=-1)"
    sheet.let(until, f"next_{number}")
    with sheet.block(f"while {when} == step"):
        sheet.put(until, f"{until} + 1")
    with sheet.block(f"if {until} > next_{number}"):
        sheet.let(f"arrived_{number}", f"zero_{part.target}")
        with sheet.block(f"for place_{number} in range(next_{number}, {until})"):
            sheet.let(f"pre_{number}", f"tl.load(arriving_units_{number}_at + place_{number})")
            _add(sheet, part, number)
        arrive(sheet, part, number, f"arrived_{number}")
        sheet.put(f"next_{number}", until)


def _take_spikes(sheet: KernelSheet, part: ProjectionForm, number: int) -> None:
    """Spikes of a population, the smallest number first."""
    source = part.source
    fired, hits = f"fired_{source}", f"hits_{source}"
    if part.delayed:
        _late(sheet, part, number)
        fired, hits = f"late_{number}", f"many_{number}"
    with sheet.block(f"if {hits} > 0"):
        sheet.let(f"arrived_{number}", f"zero_{part.target}")
        sheet.let(f"left_{number}", fired)
        sheet.let(f"more_{number}", hits)
        with sheet.block(f"while more_{number} > 0"):
            lowest = f"tl.where(left_{number}, i_{source}, BLOCK_{source})"
            sheet.let(f"pre_{number}", f"tl.min({lowest}, axis=0)")
            _add(sheet, part, number)
            sheet.put(f"left_{number}", f"left_{number} & (i_{source} != pre_{number})")
            sheet.put(f"more_{number}", f"more_{number} - 1")
        arrive(sheet, part, number, f"arrived_{number}")


def _late(sheet: KernelSheet, part: ProjectionForm, number: int) -> None:
    """Send the spikes of this step on their way; those that arrive now, and how many they are.

    Rows of the ring are written by one thread and read by another: a barrier lies between, and one
    row more than the longest delay needs keeps the next step's writing away from this one's.
    """
    source, turns = part.source, f"ring_turns_{number}"
    delay = f"delays_{number}" if part.own_delays else f"delay_{number}"
    ring = f"ring_{number}_at + trial * {turns} * BLOCK_{source}"
    sent = f"((step + {delay}) % {turns}) * BLOCK_{source}"
    sheet.add(
        f"tl.store({ring} + {sent} + i_{source}, fired_{source}.to(tl.int8))",
        "tl.debug_barrier()",
    )
    row = f"(step % {turns}) * BLOCK_{source} + i_{source}"
    sheet.let(f"late_{number}", f"tl.load({ring} + {row}) != 0")
    sheet.let(f"many_{number}", f"tl.sum(late_{number}.to(tl.int32), axis=0)")


def _add(sheet: KernelSheet, part: ProjectionForm, number: int) -> None:
    """Add the weights of a presynaptic neuron."""
    arrived = f"arrived_{number}"
    sheet.put(arrived, f"{arrived} + {_weights(part, number, f'pre_{number}.to(tl.int64)')}")
