"""A population in the text of a kernel: its states, and its part of a step."""

from bridge.backends.compiled.form import Form, PopulationForm
from bridge.backends.compiled.gpu.sheet import KernelSheet, NoiseText
from bridge.backends.compiled.populations import advance, reset_of
from bridge.backends.compiled.projections import decay_lines, holds_after
from bridge.backends.native_noise import normal_lines


def declare(sheet: KernelSheet, form: Form, number: int) -> None:
    """What a population is given, and what it keeps from step to step."""
    mine = form.populations[number]
    block = sheet.size(number)
    for name in (f"size_{number}", f"first_{number}"):
        sheet.number(name)
    sheet.let(f"there_{number}", f"i_{number} < size_{number}")
    sheet.let(f"zero_{number}", f"tl.full([{block}], 0.0, {sheet.real})")
    for name in mine.constants:
        sheet.row(f"constant_{number}_{name}", number)
    for state in mine.states:
        start = sheet.array(f"start_{number}_{state}")
        # Each trial has voltages of its own; the other states start alike.
        begin = f" + trial * {block}" if state == mine.voltage else ""
        sheet.let(f"state_{number}_{state}", f"tl.load({start}{begin} + i_{number})")
    if mine.gated:
        sheet.number(f"refractory_{number}")
        sheet.number(f"refractory_start_{number}")
        start = f"refractory_start_{number}.to(tl.int32)"
        sheet.let(f"free_{number}", f"tl.full([{block}], 0, tl.int32) + {start}")
    if form.margins and mine.fires:
        sheet.let(f"margin_{number}", f'tl.full([{block}], float("inf"), {sheet.real})')
    _declare_pushes(sheet, mine, number)


def _declare_pushes(sheet: KernelSheet, mine: PopulationForm, number: int) -> None:
    """Noise and stimulation."""
    if mine.noise == "counted":
        sheet.row(f"unit_{number}", number)
        sheet.row(f"noise_sd_{number}", number)
    if mine.noise == "given":
        sheet.array(f"noise_{number}")
    for m in mine.stimulated:
        sheet.row(f"chosen_{m}_{number}", number)


def step_lines(sheet: KernelSheet, form: Form, number: int) -> None:
    """A population's part of a step: currents, model, noise, pushes, spikes, emission, reset."""
    mine = form.populations[number]
    if mine.noise == "given":
        row = f"noise_{number}_at + (step * trials + trial) * BLOCK_{number}"
        sheet.let(f"xi_{number}", f"tl.load({row} + i_{number})")
    if mine.noise == "counted":
        unit = sheet.cell(f"unit_{number}")
        given = (NoiseText(sheet), f"draw{number}_", unit, "noise_key", sheet.real)
        lines, name = normal_lines(*given)
        sheet.add(*lines)
        sheet.let(f"xi_{number}", f"{name} * {sheet.cell(f'noise_sd_{number}')}")
    advance(sheet, form, number)
    for into in holds_after(form, number):
        decay_lines(sheet, form, into)
    if mine.fires:
        _spikes(sheet, form, number)


def _spikes(sheet: KernelSheet, form: Form, number: int) -> None:
    """Who fired, in ascending order: noted as far as there is room, counted, and reset."""
    mine, fired = form.populations[number], f"fired_{number}"
    sheet.let(f"hits_{number}", f"tl.sum({fired}.to(tl.int32), axis=0)")
    with sheet.block(f"if hits_{number} > 0"):
        sheet.let(f"place_{number}", f"events + tl.cumsum({fired}.to(tl.int32), axis=0) - 1")
        sheet.add(
            f"tl.store(spikes_at + trial * room + place_{number}, "
            f"step * neurons + first_{number} + i_{number}, "
            f"mask={fired} & (place_{number} < room))"
        )
        sheet.put("events", f"events + hits_{number}")
        if mine.gated:
            until = sheet.counted_step(f" + 1 + refractory_{number}")
            sheet.put(f"free_{number}", f"tl.where({fired}, {until}, free_{number})")
        for name, fresh in reset_of(sheet, form, number, "").items():
            state = f"state_{number}_{name}"
            sheet.put(state, f"tl.where({fired}, {fresh}, {state})")


def keep_sample(sheet: KernelSheet, form: Form, number: int) -> None:
    """Keep what is wanted of a population at the end of a sample, (T, B, n)."""
    for place, name in enumerate(form.populations[number].sampled):
        _keep(sheet, (f"sampled_{number}_{place}", "sample"), number, name)


def keep_step(sheet: KernelSheet, form: Form, number: int) -> None:
    """Keep what is wanted of a population in a step of the window, (W, B, n)."""
    for place, name in enumerate(form.populations[number].stepped):
        _keep(sheet, (f"stepped_{number}_{place}", "(step - window_start)"), number, name)


def _keep(sheet: KernelSheet, where: tuple[str, str], number: int, name: str) -> None:
    array, time = where
    row = f"{sheet.changed_array(array)} + ({time} * trials + trial) * size_{number}"
    sheet.add(f"tl.store({row} + i_{number}, state_{number}_{name}, mask=there_{number})")


def check_finite(sheet: KernelSheet, form: Form, number: int) -> None:
    """The first state that is no longer a number is noted, and ends the trial."""
    for place, state in enumerate(form.populations[number].states):
        values = f"state_{number}_{state}"
        sheet.let(f"bad_{number}", f"(({values} - {values}) != 0.0) & there_{number}")
        with sheet.block(f"if (going > 0) & (tl.sum(bad_{number}.to(tl.int32), axis=0) > 0)"):
            sheet.put("going", "going * 0")
            first = f"tl.min(tl.where(bad_{number}, i_{number}, BLOCK_{number}), axis=0)"
            for column, what in enumerate((number, place, first, "sample")):
                sheet.add(f"tl.store(failures_at + trial * 4 + {column}, {what})")
