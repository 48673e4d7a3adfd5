"""A projection in the text of a run: its filter, its delay, and its sums over synapses.

Sums run in ascending order of the presynaptic neuron, product by product, as in the reference.
"""

from bridge.backends.compiled.form import Form, ProjectionForm
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
    """The padded number of neurons of a population, or of channels."""
    return "width_input" if number < 0 else f"width_{number}"


def declare(sheet: Sheet, form: Form, number: int) -> None:
    """What a projection is given, and what it keeps from step to step."""
    part = form.projections[number]
    held = _width(part.owner)
    for name in part.constants:
        sheet.array(f"filter_{number}_constant_{name}")
    for state in part.states:
        sheet.kept(f"filter_{number}_{state}", held)
    if part.dense:
        sheet.array(f"weights_{number}")
    else:
        sheet.array(f"synapses_{number}", "int64_t")
        sheet.array(f"post_{number}", "int32_t")
        sheet.array(f"weights_{number}")
    if part.presynaptic or not part.states:
        sheet.kept(f"current_{number}", _width(part.target))
    if part.delayed or part.source < 0:
        sheet.number(f"delay_{number}")
    if part.source < 0:
        # The sample that acts, weighted unless the filter comes first.
        sheet.kept(f"shown_{number}", held if part.states else _width(part.target))
        sheet.add(f"int64_t changes_{number} = delay_{number};")
    elif part.delayed and part.graded:
        sheet.kept(f"ring_{number}", f"{_width(part.source)} * (delay_{number} + 1)")
    elif part.delayed:
        sheet.add(f"std::vector<std::vector<int32_t>> due_{number}(delay_{number} + 1);")
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


def input_lines(sheet: Sheet, form: Form, number: int) -> None:
    """Take the sample that acts from this step on, and hand it on where that is within the step."""
    part = form.projections[number]
    with sheet.block(f"if (step == changes_{number})"):
        sheet.add(
            f"const int64_t since = step - delay_{number} + offset_steps;",
            "const int64_t sample = since / sample_steps < samples - 1"
            " ? since / sample_steps : samples - 1;",
            f"changes_{number} = (sample + 1) * sample_steps - offset_steps + delay_{number};",
            "const real *__restrict const u = inputs + (sample * trials + trial) * channels;",
        )
        if part.presynaptic:
            sheet.add(f"copy(shown_{number}, u, channels);")
        else:
            target = _width(part.target)
            sheet.add(f"fill(shown_{number}, {target});")
            with sheet.block("for (int64_t j = 0; j < channels; ++j)"):
                sheet.add("const real x = u[j];")
                _add_weighted(sheet, part, number, f"shown_{number}", "x * ")
        if not part.states:
            sheet.add(f"copy(current_{number}, shown_{number}, {_width(part.target)});")
    if part.states and part.within_step:
        with sheet.each(_width(part.owner)):
            decay_lines(sheet, form, number)
        take_lines(sheet, form, number)


def decay_loop(sheet: Sheet, form: Form, number: int) -> None:
    """The decay of a filter in a loop of its own."""
    part = form.projections[number]
    if part.states:
        with sheet.each(_width(part.owner)):
            decay_lines(sheet, form, number)


def take_lines(sheet: Sheet, form: Form, number: int) -> None:
    """What arrives over a projection in this step."""
    part = form.projections[number]
    if part.source < 0:
        _take_input(sheet, part, number)
    elif part.graded:
        _take_values(sheet, part, number)
    else:
        _take_spikes(sheet, part, number)
    if part.presynaptic:
        _sum_traces(sheet, part, number)


def _take_input(sheet: Sheet, part: ProjectionForm, number: int) -> None:
    with sheet.each(_width(part.owner)):
        _enter(sheet, part, number, "i", f"shown_{number}[i]")


def _take_values(sheet: Sheet, part: ProjectionForm, number: int) -> None:
    width = _width(part.source)
    arriving = f"value_{part.source}"
    with sheet.block(""):
        if part.delayed:
            ring, turns = f"ring_{number} + {width} *", f"% (delay_{number} + 1)"
            sheet.add(
                f"copy({ring} ((step + delay_{number}) {turns}), {arriving}, {width});",
                f"const real *__restrict const late = {ring} (step {turns});",
            )
            arriving = "late"
        if part.presynaptic:
            with sheet.each(width):
                _enter(sheet, part, number, "i", f"{arriving}[i]")
            return
        target = _width(part.target)
        sheet.add(f"fill(arrived, {target});")
        _ordered_sum(sheet, part, number, arriving, "arrived")
        _arrive(sheet, part, number)


def _take_spikes(sheet: Sheet, part: ProjectionForm, number: int) -> None:
    source = part.source
    with sheet.block(""):
        sheet.add(
            f"const int32_t *hit = hit_{source};",
            f"int64_t hits = hits_{source};",
        )
        if part.delayed:
            due, turns = f"due_{number}", f"% (delay_{number} + 1)"
            sheet.add(
                f"{due}[(step + delay_{number}) {turns}].assign(hit, hit + hits);",
                f"const std::vector<int32_t> &late = {due}[step {turns}];",
                "hit = late.data();",
                "hits = (int64_t)late.size();",
            )
        if part.presynaptic:
            with sheet.block("for (int64_t k = 0; k < hits; ++k)"):
                sheet.add("const int32_t j = hit[k];")
                _enter(sheet, part, number, "j", "(real)1")
            return
        target = _width(part.target)
        with sheet.block("if (hits)"):
            sheet.add(f"fill(arrived, {target});")
            with sheet.block("for (int64_t k = 0; k < hits; ++k)"):
                sheet.add("const int64_t j = hit[k];")
                _add_weighted(sheet, part, number, "arrived", "")
            _arrive(sheet, part, number)
        if not part.states:
            with sheet.block(f"else if (touched_{number})"):
                sheet.add(f"fill(current_{number}, {target});", f"touched_{number} = false;")


def _arrive(sheet: Sheet, part: ProjectionForm, number: int) -> None:
    """What was summed in `arrived` enters the filter, or is the current."""
    with sheet.each(_width(part.target)):
        if part.states:
            _enter(sheet, part, number, "i", "(arrived[i] * gain)")
        else:
            sheet.add(f"current_{number}[i] = arrived[i] * gain;")
    if not part.states and not part.graded:
        sheet.add(f"touched_{number} = true;")


def _enter(sheet: Sheet, part: ProjectionForm, number: int, index: str, arrived: str) -> None:
    """What arrives enters the filter's first state."""
    entry = f"filter_{number}_{part.states[0]}[{index}]"
    sheet.add(f"{entry} = {entry} + {arrived} * filter_{number}_constant_gain[{index}];")


def _sum_traces(sheet: Sheet, part: ProjectionForm, number: int) -> None:
    """The current of what the filters of the presynaptic side hold."""
    target = _width(part.target)
    sheet.add(f"fill(current_{number}, {target});")
    _ordered_sum(sheet, part, number, f"filter_{number}_{part.output}", f"current_{number}")
    if part.source >= 0:
        with sheet.each(target):
            sheet.add(f"current_{number}[i] = current_{number}[i] * gain;")


def _ordered_sum(sheet: Sheet, part: ProjectionForm, number: int, held: str, into: str) -> None:
    """Add to `into` the weighted numbers of all presynaptic neurons."""
    count = "channels" if part.source < 0 else f"size_{part.source}"
    with sheet.block(f"for (int64_t j = 0; j < {count}; ++j)"):
        sheet.add(f"const real x = {held}[j];")
        with sheet.block("if (x != 0)"):
            _add_weighted(sheet, part, number, into, "x * ")


def _add_weighted(sheet: Sheet, part: ProjectionForm, number: int, into: str, factor: str) -> None:
    """Add the weights of presynaptic neuron j, times a factor, to their targets."""
    if part.dense:
        width = _width(part.target)
        sheet.add(f"const real *__restrict const w = weights_{number} + j * {width};")
        with sheet.each(width):
            sheet.add(f"{into}[i] = {into}[i] + {factor}w[i];")
        return
    first, last = f"synapses_{number}[j]", f"synapses_{number}[j + 1]"
    with sheet.block(f"for (int64_t s = {first}; s < {last}; ++s)"):
        cell = f"{into}[post_{number}[s]]"
        sheet.add(f"{cell} = {cell} + {factor}weights_{number}[s];")
