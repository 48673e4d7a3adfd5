"""A projection in the text of a run: its filter, its delays, and what arrives over it."""

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
        sheet.array(f"filter_{number}_constant_{name}")
    for state in part.states:
        sheet.kept(f"filter_{number}_{state}", held)
        if state in part.started:
            start = sheet.array(f"filter_{number}_start_{state}")
            sheet.add(f"copy(filter_{number}_{state}, {start}, {held});")
    weights_text(form, number).declare(sheet)
    if part.presynaptic or not part.states:
        sheet.kept(f"current_{number}", _width(part.target))
    if part.presynaptic and part.output in part.started:
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
        sheet.add(f"for (int64_t c = 0; c < channels_{number}; ++c) changes_{number}[c] = {start};")
        if part.states and not part.presynaptic:
            sheet.kept(f"weighted_{number}", _width(part.target))
    elif part.delayed:
        # As long as the longest delay, and the step itself.
        sheet.number(f"turns_{number}")
        if part.graded:
            sheet.kept(f"ring_{number}", f"{_width(part.source)} * turns_{number}")
        else:
            sheet.add(f"std::vector<std::vector<int32_t>> due_{number}(turns_{number});")
    if not part.states and part.source >= 0 and not part.graded:
        sheet.add(f"bool touched_{number} = false;")


def decay_lines(sheet: Sheet, form: Form, number: int) -> None:
    """What a step leaves of one neuron's filter."""
    part = form.projections[number]
    names = {f"state.{state}": f"filter_{number}_{state}[i]" for state in part.states}
    names |= {f"constant.{name}": f"filter_{number}_constant_{name}[i]" for name in part.constants}
    lines, outputs = statements(part.decay, f"f{number}", names)
    fresh = [f"const real f{number}_{state} = {outputs[state]};" for state in part.states]
    sheet.add(*lines, *fresh)
    sheet.add(*(f"filter_{number}_{state}[i] = f{number}_{state};" for state in part.states))


def declare_train(sheet: Sheet, number: int) -> None:
    """The spikes of an input, trial after trial, and where those of this trial are."""
    sheet.number(f"size_{number}")
    sheet.add(f"const int64_t width_{number} = padded(size_{number});")
    sheet.array(f"train_steps_{number}", "int32_t")
    sheet.array(f"train_units_{number}", "int32_t")
    first = sheet.array(f"train_first_{number}", "int64_t")
    sheet.add(
        f"int64_t next_{number} = {first}[trial];",
        f"const int32_t *hit_{number} = train_units_{number};",
        f"int64_t hits_{number} = 0;",
    )


def train_lines(sheet: Sheet, number: int) -> None:
    """The units of an input that spike in this step, ascending."""
    following = f"next_{number} < train_first_{number}[trial + 1]"
    sheet.add(
        f"hit_{number} = train_units_{number} + next_{number};",
        f"hits_{number} = 0;",
        f"for (; {following} && train_steps_{number}[next_{number}] == step; ++next_{number}) "
        f"++hits_{number};",
    )


def decay_loop(sheet: Sheet, form: Form, number: int) -> None:
    """The decay of a filter in a loop of its own."""
    part = form.projections[number]
    if part.states:
        with sheet.each(_held(part, number)):
            decay_lines(sheet, form, number)


def input_lines(sheet: Sheet, form: Form, number: int) -> None:
    """Take the samples that act from this step on, and hand them on if that is within the step."""
    part = form.projections[number]
    with sheet.block(""):
        sheet.add("bool changed = false;")
        delay = f"delays_{number}[c]" if part.own_delays else f"delay_{number}"
        # With one delay all channels take the next sample in the same step.
        first = "" if part.own_delays else f"if (step == changes_{number}[0]) "
        with sheet.block(f"{first}for (int64_t c = 0; c < channels_{number}; ++c)"):
            _next_sample(sheet, number, delay)
        if not part.presynaptic:
            with sheet.block("if (changed)"):
                into = f"weighted_{number}" if part.states else f"current_{number}"
                weights_text(form, number).sum_all(sheet, f"shown_{number}", into)
    if part.states and part.within_step:
        decay_loop(sheet, form, number)
        take_lines(sheet, form, number)


def _next_sample(sheet: Sheet, number: int, delay: str) -> None:
    """Channel c takes its next sample, if this is the step to."""
    with sheet.block(f"if (step == changes_{number}[c])"):
        sheet.add(
            f"const int64_t since = (step - {delay} + offset_steps) / sample_steps;",
            "const int64_t at = since < samples - 1 ? since : samples - 1;",
            f"changes_{number}[c] = (at + 1) * sample_steps - offset_steps + {delay};",
            f"shown_{number}[c] = "
            f"inputs[(at * trials + trial) * channels + first_channel_{number} + c];",
            "changed = true;",
        )


def take_lines(sheet: Sheet, form: Form, number: int) -> None:
    """What arrives over a projection in this step."""
    part = form.projections[number]
    if part.source < 0:
        shown = "shown" if part.presynaptic else "weighted"
        with sheet.each(_held(part, number)):
            _enter(sheet, part, number, "i", f"{shown}_{number}[i]")
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
            arriving = _late_values(sheet, part, number)
        if part.presynaptic:
            with sheet.each(_width(part.source)):
                _enter(sheet, part, number, "i", f"{arriving}[i]")
            return
        weights_text(form, number).sum_all(sheet, arriving, "arrived")
        _arrive(sheet, part, number)


def _late_values(sheet: Sheet, part: ProjectionForm, number: int) -> str:
    """Send the values of this step on their way; the name of those that arrive."""
    width, source, turns = _width(part.source), part.source, f"turns_{number}"
    if part.own_delays:
        with sheet.block(f"for (int64_t j = 0; j < size_{source}; ++j)"):
            place = f"((step + delays_{number}[j]) % {turns}) * {width} + j"
            sheet.add(f"ring_{number}[{place}] = value_{source}[j];")
    else:
        place = f"ring_{number} + ((step + delay_{number}) % {turns}) * {width}"
        sheet.add(f"copy({place}, value_{source}, {width});")
    sheet.add(f"const real *__restrict const late = ring_{number} + (step % {turns}) * {width};")
    return "late"


def _take_spikes(sheet: Sheet, form: Form, number: int) -> None:
    part = form.projections[number]
    source = part.source
    with sheet.block(""):
        sheet.add(f"const int32_t *hit = hit_{source};", f"int64_t hits = hits_{source};")
        if part.delayed:
            _late_spikes(sheet, part, number)
        if part.presynaptic:
            with sheet.block("for (int64_t k = 0; k < hits; ++k)"):
                sheet.add("const int32_t j = hit[k];")
                _enter(sheet, part, number, "j", "(real)1")
            return
        with sheet.block("if (hits)"):
            weights_text(form, number).sum_spikes(sheet, "arrived")
            _arrive(sheet, part, number)
        if not part.states:
            with sheet.block(f"else if (touched_{number})"):
                sheet.add(f"fill(current_{number}, {_width(part.target)});")
                sheet.add(f"touched_{number} = false;")


def _late_spikes(sheet: Sheet, part: ProjectionForm, number: int) -> None:
    """Send the spikes of this step on their way; `hit` are then those that arrive, ascending."""
    due, turns = f"due_{number}", f"turns_{number}"
    here = f"{due}[step % {turns}]"
    if part.own_delays:
        with sheet.block("for (int64_t k = 0; k < hits; ++k)"):
            sheet.add(f"{due}[(step + delays_{number}[hit[k]]) % {turns}].push_back(hit[k]);")
        sheet.add(f"std::sort({here}.begin(), {here}.end());")
        sheet.add("std::vector<int32_t> late;", f"late.swap({here});")
    else:
        sheet.add(f"{due}[(step + delay_{number}) % {turns}].assign(hit, hit + hits);")
        sheet.add(f"const std::vector<int32_t> &late = {here};")
    sheet.add("hit = late.data();", "hits = (int64_t)late.size();")


def _arrive(sheet: Sheet, part: ProjectionForm, number: int) -> None:
    """What was summed in `arrived` enters the filter, or is the current."""
    scaled = "(arrived[i] * gain)" if part.scaled else "arrived[i]"
    with sheet.each(_width(part.target)):
        if part.states:
            _enter(sheet, part, number, "i", scaled)
        else:
            sheet.add(f"current_{number}[i] = {scaled};")
    if not part.states and not part.graded:
        sheet.add(f"touched_{number} = true;")


def _enter(sheet: Sheet, part: ProjectionForm, number: int, index: str, arrived: str) -> None:
    """What arrives enters the filter's first state."""
    entry = f"filter_{number}_{part.states[0]}[{index}]"
    sheet.add(f"{entry} = {entry} + {arrived} * filter_{number}_constant_gain[{index}];")


def _sum_traces(sheet: Sheet, form: Form, number: int) -> None:
    """The current of what the filters of the presynaptic side hold."""
    part = form.projections[number]
    current = f"current_{number}"
    weights_text(form, number).sum_all(sheet, f"filter_{number}_{part.output}", current)
    if part.scaled:
        with sheet.each(_width(part.target)):
            sheet.add(f"{current}[i] = {current}[i] * gain;")
