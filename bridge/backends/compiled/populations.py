"""A population in the text of a run: its states, and its part of a step."""

from bridge.backends.compiled.form import Form, PopulationForm
from bridge.backends.compiled.projections import (
    decay_lines,
    drives_current,
    holds_after,
)
from bridge.backends.compiled.sheet import Sheet
from bridge.backends.compiled.statements import statements
from bridge.backends.kept import EMITTED


def declare(sheet: Sheet, form: Form, number: int) -> None:
    """What a population is given, and what it keeps from step to step."""
    mine = form.populations[number]
    sheet.number(f"size_{number}")
    sheet.add(f"const int64_t width_{number} = padded(size_{number});")
    sheet.number(f"first_{number}")
    for name in mine.constants:
        sheet.constant(f"constant_{number}_{name}", alike=name in mine.alike)
    for state in mine.states:
        sheet.kept(f"state_{number}_{state}", f"width_{number}")
        start = sheet.array(f"start_{number}_{state}")
        # Each trial has voltages of its own; the other states start alike.
        begin = f" + trial * width_{number}" if state == mine.voltage else ""
        sheet.add(f"if (room.fresh) copy(state_{number}_{state}, {start}{begin}, width_{number});")
    if mine.gated:
        sheet.number(f"refractory_{number}")
        start = sheet.number(f"refractory_start_{number}")
        sheet.kept(f"free_{number}", f"width_{number}", "int32_t", f"(int32_t){start}")
    _declare_pushes(sheet, mine, number)
    _declare_left(sheet, form, number)


def _declare_pushes(sheet: Sheet, mine: PopulationForm, number: int) -> None:
    """Noise and stimulation."""
    if mine.noise == "counted":
        sheet.array(f"unit_{number}", "int32_t")
        sheet.array(f"noise_sd_{number}")
        sheet.kept(f"drawn_{number}", f"width_{number}")
    if mine.noise == "given":
        sheet.array(f"noise_{number}")
    for m in mine.stimulated:
        sheet.array(f"chosen_{m}_{number}")


def _declare_left(sheet: Sheet, form: Form, number: int) -> None:
    """What a population passes on, and what is kept of it."""
    mine = form.populations[number]
    if mine.graded:
        sheet.kept(f"value_{number}", f"width_{number}")
    sheet.kept(f"hit_{number}", f"width_{number}", "int32_t")
    sheet.add(f"int64_t hits_{number} = 0;")
    if mine.fires:
        sheet.kept(f"fired_{number}", f"width_{number}", "int8_t")
        if form.margins:
            sheet.kept(f"margin_{number}", f"width_{number}", start="(real)INFINITY")
    for place in range(len(mine.sampled)):
        sheet.changed_array(f"sampled_{number}_{place}")
    for place in range(len(mine.stepped)):
        sheet.changed_array(f"stepped_{number}_{place}")


def keep_sample(sheet: Sheet, form: Form, number: int) -> None:
    """Keep what is wanted of a population at the end of a sample, (T, B, n)."""
    for place, name in enumerate(form.populations[number].sampled):
        row = f"(sample * trials + trial) * size_{number}"
        sheet.add(f"copy(sampled_{number}_{place} + {row}, {_held(number, name)}, size_{number});")


def keep_step(sheet: Sheet, form: Form, number: int) -> None:
    """Keep what is wanted of a population in a step of the window, (W, B, n)."""
    for place, name in enumerate(form.populations[number].stepped):
        row = f"((step - window_start) * trials + trial) * size_{number}"
        sheet.add(f"copy(stepped_{number}_{place} + {row}, {_held(number, name)}, size_{number});")


def _held(number: int, name: str) -> str:
    """The array of a state, or of what is passed on."""
    return f"value_{number}" if name == EMITTED else f"state_{number}_{name}"


def step_lines(sheet: Sheet, form: Form, number: int) -> None:
    """A population's part of a step: currents, model, noise, pushes, spikes, emission, reset.

    The filters that it holds decay in the same loop, unless they act within the step: nobody else
    looks at them before what arrives is added.
    """
    mine = form.populations[number]
    if mine.fires:
        sheet.add(f"whole any_{number} = 0;")
    if mine.noise == "given":
        sheet.add(
            f"const real *__restrict const xi_{number} = "
            f"noise_{number} + (step * trials + trial) * width_{number};"
        )
    if mine.noise == "counted":
        sheet.add(
            f"const real *__restrict xi_{number} = drawn_{number};",
            f"if (normals.of.empty()) {noise_call(number, f'drawn_{number}')}",
            f"else xi_{number} = normals.of[{number}] + tick * width_{number};",
        )
    with sheet.each(f"width_{number}"):
        advance(sheet, form, number)
        for into in holds_after(form, number):
            decay_lines(sheet, form, into)
    if mine.fires:
        _spikes(sheet, form, number)


def noise_call(number: int, row: str) -> str:
    """What draws the noise of a step's neurons into a row."""
    return f"normals_of(unit_{number}, noise_sd_{number}, width_{number}, noise_key, {row});"


def advance(sheet: Sheet, form: Form, number: int) -> None:
    """One neuron's step."""
    mine = form.populations[number]
    cell = sheet.cell
    sheet.variable("current", cell(f"constant_{number}_bias"))
    for held in drives_current(form, number):
        sheet.put("current", f"current + {cell(held)}")
    for state in mine.states:
        sheet.let(f"old_{state}", cell(f"state_{number}_{state}"))
    names = {f"state.{state}": f"old_{state}" for state in mine.states}
    names |= constants_named(sheet, mine, number, "i") | {"current": "current"}
    outputs = statements(sheet, mine.traces.step, "a", names)
    if mine.gated:
        sheet.let("moves", f"{cell(f'free_{number}')} <= {sheet.counted_step()}", "bool")
    for state in mine.states:
        new = outputs[state]
        if mine.gated:
            new = sheet.operation("where", "moves", new, f"old_{state}")
        sheet.variable(f"new_{state}", new)
    _push(sheet, form, number)
    if mine.fires:
        _fire(sheet, form, number)
    if mine.graded:
        names = {f"state.{state}": f"new_{state}" for state in mine.states}
        names |= constants_named(sheet, mine, number, "i")
        outputs = statements(sheet, mine.traces.emitted, "b", names)
        sheet.put(cell(f"value_{number}"), outputs["value"])
    for state in mine.states:
        sheet.put(cell(f"state_{number}_{state}"), f"new_{state}")


def constants_named(sheet: Sheet, mine: PopulationForm, number: int, index: str) -> dict[str, str]:
    """What the constants of a trace are called in the text."""
    return {
        f"constant.{name}": sheet.cell(f"constant_{number}_{name}", index)
        for name in mine.constants
    }


def _push(sheet: Sheet, form: Form, number: int) -> None:
    """Noise, then stimulation."""
    mine, cell = form.populations[number], sheet.cell
    v = f"new_{mine.voltage}"
    if mine.noise != "none":
        sheet.put(v, f"{v} + {cell(f'xi_{number}')}")
    for m in mine.stimulated:
        sheet.put(v, f"{v} + push_{m} * {cell(f'chosen_{m}_{number}')}")


def _fire(sheet: Sheet, form: Form, number: int) -> None:
    mine = form.populations[number]
    v = f"new_{mine.voltage}"
    if form.margins:
        threshold = sheet.cell(f"constant_{number}_threshold")
        sheet.let("distance", sheet.size_of(f"{v} - {threshold}"))
        margin = sheet.cell(f"margin_{number}")
        nearer = f"distance < {margin}"
        sheet.put(margin, sheet.operation("where", nearer, "distance", margin))
    sheet.fire(number, _passed(sheet, form, number, v))


def _passed(sheet: Sheet, form: Form, number: int, voltage: str) -> str:
    """Whether a voltage has reached the threshold, or passed it."""
    threshold = sheet.cell(f"constant_{number}_threshold")
    return f"{voltage} {'>' if form.populations[number].strictly else '>='} {threshold}"


def reset_of(sheet: Sheet, form: Form, number: int, index: str) -> dict[str, str]:
    """Write down what a spike makes of the states; what each of them becomes, all read already."""
    mine = form.populations[number]
    names = {
        f"state.{state}": sheet.cell(f"state_{number}_{state}", index) for state in mine.states
    }
    names |= constants_named(sheet, mine, number, index)
    outputs = statements(sheet, mine.traces.reset, "c", names)
    # All are read before any is written.
    for name, held in outputs.items():
        sheet.let(f"fresh_{name}", held)
    return {name: f"fresh_{name}" for name in outputs}


def _spikes(sheet: Sheet, form: Form, number: int) -> None:
    """Who fired, in ascending order: noted, and reset."""
    mine = form.populations[number]
    sheet.put(f"hits_{number}", "0")
    with sheet.block(f"if (any_{number})"):
        # Mostly nobody fires: who did is found by comparing once more.
        with sheet.each(f"width_{number}"):
            passed = _passed(sheet, form, number, sheet.cell(f"state_{number}_{mine.voltage}"))
            sheet.put(f"fired_{number}[i]", passed)
        sheet.put(f"hits_{number}", f"found(fired_{number}, width_{number}, hit_{number})")
    with sheet.block(f"for (int64_t k = 0; k < hits_{number}; ++k)"):
        sheet.add(f"const int32_t j = hit_{number}[k];")
        sheet.add(f"left.take((int32_t)step, (int32_t)first_{number} + j);")
        if mine.gated:
            sheet.add(f"free_{number}[j] = (int32_t)(step + 1 + refractory_{number});")
        for name, fresh in reset_of(sheet, form, number, "j").items():
            sheet.put(sheet.cell(f"state_{number}_{name}", "j"), fresh)
