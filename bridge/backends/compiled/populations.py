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
        sheet.array(f"constant_{number}_{name}")
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
        sheet.add(f"int32_t any_{number} = 0;")
    if mine.noise == "given":
        sheet.add(
            f"const real *__restrict const xi_{number} = "
            f"noise_{number} + (step * trials + trial) * width_{number};"
        )
    if mine.noise == "counted":
        sheet.add(
            f"const real *__restrict xi_{number} = drawn_{number};",
            "if (normals.of.empty()) "
            f"normals_of(unit_{number}, width_{number}, noise_key, drawn_{number});",
            f"else xi_{number} = normals.of[{number}].data() + tick * width_{number};",
        )
    with sheet.each(f"width_{number}"):
        _advance(sheet, form, number)
        for into in holds_after(form, number):
            decay_lines(sheet, form, into)
    if mine.fires:
        _spikes(sheet, form, number)


def _advance(sheet: Sheet, form: Form, number: int) -> None:
    """One neuron's step."""
    mine = form.populations[number]
    sheet.add(f"real current = constant_{number}_bias[i];")
    for held in drives_current(form, number):
        sheet.add(f"current = current + {held}[i];")
    for state in mine.states:
        sheet.add(f"const real old_{state} = state_{number}_{state}[i];")
    names = {f"state.{state}": f"old_{state}" for state in mine.states}
    names |= _constants(mine, number, "i") | {"current": "current"}
    lines, outputs = statements(mine.traces.step, "a", names)
    sheet.add(*lines)
    if mine.gated:
        sheet.add(f"const bool moves = free_{number}[i] <= (int32_t)step;")
    for state in mine.states:
        new = outputs[state]
        sheet.add(f"real new_{state} = {f'moves ? {new} : old_{state}' if mine.gated else new};")
    _push(sheet, form, number)
    if mine.fires:
        _fire(sheet, form, number)
    if mine.graded:
        names = {f"state.{state}": f"new_{state}" for state in mine.states}
        lines, outputs = statements(mine.traces.emitted, "b", names | _constants(mine, number, "i"))
        sheet.add(*lines, f"value_{number}[i] = {outputs['value']};")
    sheet.add(*(f"state_{number}_{state}[i] = new_{state};" for state in mine.states))


def _constants(mine: PopulationForm, number: int, index: str) -> dict[str, str]:
    return {f"constant.{name}": f"constant_{number}_{name}[{index}]" for name in mine.constants}


def _push(sheet: Sheet, form: Form, number: int) -> None:
    """Noise, then stimulation."""
    mine = form.populations[number]
    v = f"new_{mine.voltage}"
    if mine.noise == "counted":
        sheet.add(f"{v} = {v} + xi_{number}[i] * noise_sd_{number}[i];")
    if mine.noise == "given":
        sheet.add(f"{v} = {v} + xi_{number}[i];")
    sheet.add(*(f"{v} = {v} + push_{m} * chosen_{m}_{number}[i];" for m in mine.stimulated))


def _fire(sheet: Sheet, form: Form, number: int) -> None:
    mine = form.populations[number]
    v, threshold = f"new_{mine.voltage}", f"constant_{number}_threshold[i]"
    if form.margins:
        sheet.add(f"const real distance = std::fabs({v} - {threshold});")
        margin = f"margin_{number}[i]"
        sheet.add(f"{margin} = distance < {margin} ? distance : {margin};")
    sheet.add(f"const int8_t fires = {v} {'>' if mine.strictly else '>='} {threshold};")
    sheet.add(f"fired_{number}[i] = fires;", f"any_{number} |= fires;")


def _spikes(sheet: Sheet, form: Form, number: int) -> None:
    """Who fired, in ascending order: noted, and reset."""
    mine = form.populations[number]
    sheet.add(
        f"hits_{number} = any_{number} ? found(fired_{number}, width_{number}, hit_{number}) : 0;"
    )
    with sheet.block(f"for (int64_t k = 0; k < hits_{number}; ++k)"):
        sheet.add(f"const int32_t j = hit_{number}[k];")
        sheet.add(f"left.take((int32_t)step, (int32_t)first_{number} + j);")
        if mine.gated:
            sheet.add(f"free_{number}[j] = (int32_t)(step + 1 + refractory_{number});")
        names = {f"state.{state}": f"state_{number}_{state}[j]" for state in mine.states}
        lines, outputs = statements(mine.traces.reset, "c", names | _constants(mine, number, "j"))
        # All are read before any is written.
        fresh = [f"const real fresh_{name} = {held};" for name, held in outputs.items()]
        sheet.add(*lines, *fresh)
        sheet.add(*(f"state_{number}_{name}[j] = fresh_{name};" for name in outputs))
