"""A projection in the text of a run: its filter, its delays, and what arrives over it."""

from bridge.backends.compiled.arrivals import late_spikes, late_values, next_sample
from bridge.backends.compiled.form import Form, ProjectionForm
from bridge.backends.compiled.matrices import weights_text
from bridge.backends.compiled.sheet import Sheet
from bridge.backends.compiled.statements import statements


def holds_after(form: Form, population: int) -> list[int]:
    """The projections whose filters a population holds, and that do not act within the step."""
    return [
        number
        for number, part in enumerate(form.projections)
        if part.states and part.owner == population and not part.within_step
    ]


def drives_current(form: Form, population: int) -> list[str]:
    """The arrays that drive a population, in the order of their sum."""
    return [
        _output(part, number)
        for number, part in enumerate(form.projections)
        if part.target == population
    ]


def _output(part: ProjectionForm, number: int) -> str:
    """What the target's current takes: the filter's output, or what was summed of it."""
    held = part.states and not part.presynaptic
    return f"filter_{number}_{part.output}" if held else f"current_{number}"


def _width(number: int) -> str:
    """The padded number of neurons of a population, or of units of an input."""
    return f"width_{number}"


def _held(part: ProjectionForm, number: int) -> str:
    """The padded number of those that the filter runs over."""
    return f"width_channels_{number}" if part.owner < 0 else _width(part.owner)


def declare(sheet: Sheet, form: Form, number: int) -> None:
    """What a projection is given, and what it keeps from step to step."""
    part = form.projections[number]
    held = _held(part, number)
    if part.source < 0:
        sheet.number(f"channels_{number}")
        sheet.number(f"first_channel_{number}")
        sheet.add(f"const int64_t width_channels_{number} = padded(channels_{number});")
    for name in part.constants:
        sheet.constant(f"filter_{number}_constant_{name}", alike=name in part.alike)
    for state in part.states:
        sheet.kept(f"filter_{number}_{state}", held)
        if state in part.started:
            start = sheet.array(f"filter_{number}_start_{state}")
            sheet.add(f"if (room.fresh) copy(filter_{number}_{state}, {start}, {held});")
    weights_text(form, number).declare(sheet)
    if part.presynaptic or not part.states:
        sheet.kept(f"current_{number}", _width(part.target))
    if part.presynaptic and part.output in part.started:
        with sheet.block("if (room.fresh)"):
            _sum_traces(sheet, form, number)
    _declare_way(sheet, part, number)


def _declare_way(sheet: Sheet, part: ProjectionForm, number: int) -> None:
    """What is under way to the target."""
    if part.own_delays:
        sheet.array(f"delays_{number}", "int64_t")
    elif part.delayed or part.source < 0:
        sheet.number(f"delay_{number}")
    if part.source < 0:
        channels = f"width_channels_{number}"
        sheet.kept(f"shown_{number}", channels)
        # The step in which each channel, or all of them, take the next sample.
        start = f"delays_{number}[c]" if part.own_delays else f"delay_{number}"
        sheet.kept(f"changes_{number}", channels, "int64_t")
        sheet.add("if (room.fresh)")
        sheet.add(f"for (int64_t c = 0; c < channels_{number}; ++c) changes_{number}[c] = {start};")
        if part.states and not part.presynaptic:
            sheet.kept(f"weighted_{number}", _width(part.target))
    elif part.delayed:
        # As long as the longest delay, and the step itself.
        sheet.number(f"turns_{number}")
        if part.graded:
            sheet.kept(f"ring_{number}", f"{_width(part.source)} * turns_{number}")
        else:
            sheet.add(
                f"std::vector<std::vector<int32_t>> &due_{number} = room.way(turns_{number});"
            )
    if not part.states and part.source >= 0 and not part.graded:
        sheet.kept_number(f"touched_{number}", "bool")


def decay_lines(sheet: Sheet, form: Form, number: int) -> None:
    """What a step leaves of one neuron's filter."""
    part, cell = form.projections[number], sheet.cell
    names = {f"state.{state}": cell(f"filter_{number}_{state}") for state in part.states}
    names |= {
        f"constant.{name}": cell(f"filter_{number}_constant_{name}") for name in part.constants
    }
    outputs = statements(sheet, part.decay, f"f{number}", names)
    for state in part.states:
        sheet.let(f"f{number}_{state}", outputs[state])
    for state in part.states:
        sheet.put(cell(f"filter_{number}_{state}"), f"f{number}_{state}")


def decay_loop(sheet: Sheet, form: Form, number: int) -> None:
    """The decay of a filter in a loop of its own."""
    part = form.projections[number]
    if part.states:
        with sheet.each(_held(part, number)):
            decay_lines(sheet, form, number)


def input_lines(sheet: Sheet, form: Form, number: int) -> None:
    """Take the samples that act from this step on."""
    part = form.projections[number]
    with sheet.block(""):
        sheet.add("bool changed = false;")
        delay = f"delays_{number}[c]" if part.own_delays else f"delay_{number}"
        # With one delay all channels take the next sample in the same step.
        first = "" if part.own_delays else f"if (step == changes_{number}[0]) "
        with sheet.block(f"{first}for (int64_t c = 0; c < channels_{number}; ++c)"):
            next_sample(sheet, number, delay)
        if not part.presynaptic:
            with sheet.block("if (changed)"):
                into = f"weighted_{number}" if part.states else f"current_{number}"
                weights_text(form, number).sum_all(sheet, f"shown_{number}", into)


def take_lines(sheet: Sheet, form: Form, number: int) -> None:
    """What arrives over a projection in this step."""
    part = form.projections[number]
    if part.source < 0:
        shown = "shown" if part.presynaptic else "weighted"
        with sheet.each(_held(part, number)):
            enter(sheet, part, number, "i", f"{shown}_{number}[i]")
    elif part.graded:
        _take_values(sheet, form, number)
    else:
        _take_spikes(sheet, form, number)
    if part.presynaptic:
        _sum_traces(sheet, form, number)


def _take_values(sheet: Sheet, form: Form, number: int) -> None:
    part = form.projections[number]
    arriving = f"value_{part.source}"
    with sheet.block(""):
        if part.delayed:
            arriving = late_values(sheet, part, number)
        if part.presynaptic:
            with sheet.each(_width(part.source)):
                enter(sheet, part, number, "i", f"{arriving}[i]")
            return
        weights_text(form, number).sum_all(sheet, arriving, "arrived")
        _arrive(sheet, part, number)


def _take_spikes(sheet: Sheet, form: Form, number: int) -> None:
    part = form.projections[number]
    source = part.source
    with sheet.block(""):
        sheet.add(f"const int32_t *hit = hit_{source};", f"int64_t hits = hits_{source};")
        if part.delayed:
            late_spikes(sheet, part, number)
        if part.presynaptic:
            with sheet.block("for (int64_t k = 0; k < hits; ++k)"):
                sheet.add("const int32_t j = hit[k];")
                enter(sheet, part, number, "j", "(real)1")
            return
        with sheet.block("if (hits)"):
            weights_text(form, number).sum_spikes(sheet, "arrived")
            _arrive(sheet, part, number)
        if not part.states:
            with sheet.block(f"else if (touched_{number})"):
                sheet.add(f"fill(current_{number}, {_width(part.target)});")
                sheet.add(f"touched_{number} = false;")


def _arrive(sheet: Sheet, part: ProjectionForm, number: int) -> None:
    """What was summed in `arrived` enters the filter, or is the current."""
    with sheet.each(_width(part.target)):
        arrive(sheet, part, number, "arrived")
    if not part.states and not part.graded:
        sheet.add(f"touched_{number} = true;")


def arrive(sheet: Sheet, part: ProjectionForm, number: int, summed: str) -> None:
    """The same of one neuron."""
    arrived = sheet.cell(summed)
    if part.scaled:
        arrived = f"({arrived} * gain)"
    if part.states:
        enter(sheet, part, number, "i", arrived)
    else:
        sheet.put(sheet.cell(f"current_{number}"), arrived)


def enter(sheet: Sheet, part: ProjectionForm, number: int, index: str, arrived: str) -> None:
    """What arrives enters the filter's first state."""
    entry = sheet.cell(f"filter_{number}_{part.states[0]}", index)
    gain = sheet.cell(f"filter_{number}_constant_gain", index)
    sheet.put(entry, f"{entry} + {arrived} * {gain}")


def _sum_traces(sheet: Sheet, form: Form, number: int) -> None:
    """The current of what the filters of the presynaptic side hold."""
    part = form.projections[number]
    current = f"current_{number}"
    weights_text(form, number).sum_all(sheet, f"filter_{number}_{part.output}", current)
    if part.scaled:
        with sheet.each(_width(part.target)):
            sheet.add(f"{current}[i] = {current}[i] * gain;")
