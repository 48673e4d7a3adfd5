"""The whole text of a program: a sample of a trial in one function, called until the trial ends.

Trials that see the same noise take their samples in turn: it is drawn once for all of them. Every
line that computes is one that a compiler may neither reorder nor fuse, so the bits are the
reference's.
"""

from dataclasses import dataclass

from bridge.backends.compiled import arrivals, populations, projections
from bridge.backends.compiled.form import DTYPES, Form
from bridge.backends.compiled.frame import HEAD, NORMALS, TAIL
from bridge.backends.compiled.order import trains, write_step
from bridge.backends.compiled.sheet import Sheet
from bridge.backends.native_noise import normal_code, step_code


def program(form: Form) -> Sheet:
    """The program of a form, with the names of what it has to be handed."""
    sheet = Sheet()
    real = DTYPES[form.dtype]
    sheet.add(HEAD.replace("REAL", real))
    sheet.add(step_code("step_key"), normal_code("normal", real), NORMALS)
    _draw_sample(sheet, form)
    head = (
        "static int64_t run(const void *const *given, const int64_t *numbers, const int64_t trial, "
        "const int64_t sample, const Normals &normals, Room &room, Left &left, "
        "volatile int32_t *stop, volatile int64_t *done)"
    )
    with sheet.block(head):
        _declare(sheet, form)
        _sample(sheet, form)
        _margins(sheet, form)
        sheet.add("return 0;")
    sheet.add(TAIL)
    return sheet


def _draw_sample(sheet: Sheet, form: Form) -> None:
    """What draws the noise of a sample for all trials that share it."""
    head = (
        "static void draw(const void *const *given, const int64_t *numbers, const int64_t trial, "
        "const int64_t sample, Normals &normals)"
    )
    with sheet.block(head):
        drawn = [p for p, each in enumerate(form.populations) if each.noise == "counted"]
        sheet.number("sample_steps")
        sheet.array("noise_keys", "int32_t")
        sheet.add(f"normals.of.resize({len(form.populations)});")
        for number in drawn:
            sheet.number(f"size_{number}")
            sheet.add(f"const int64_t width_{number} = padded(size_{number});")
            sheet.array(f"unit_{number}", "int32_t")
            sheet.array(f"noise_sd_{number}")
            size = f"sample_steps * width_{number}"
            sheet.add(f"normals.of[{number}] = normals.room.take<real>({size}, (real)0);")
        sheet.add("normals.room.leave();")
        with sheet.block("for (int64_t tick = 0; tick < sample_steps; ++tick)"):
            sheet.add("const int64_t step = sample * sample_steps + tick;", _NOISE_KEY)
            for number in drawn:
                row = f"normals.of[{number}] + tick * width_{number}"
                sheet.add(populations.noise_call(number, row))


def _declare(sheet: Sheet, form: Form) -> None:
    for name in ("trials", "samples", "sample_steps", "offset_steps", "channels"):
        sheet.number(name)
    sheet.array("inputs")
    sheet.array("gains")
    sheet.array("noise_keys", "int32_t")
    sheet.add("const real gain = gains[trial];")
    for m in range(form.stimulations):
        sheet.array(f"push_keys_{m}", "int32_t")
        for name in (f"push_start_{m}", f"push_stop_{m}", f"push_draws_{m}"):
            sheet.number(name)
    if form.stimulations:
        sheet.array("amplitudes")
    for number in range(len(form.populations)):
        populations.declare(sheet, form, number)
    for train in trains(form):
        arrivals.declare_train(sheet, train)
    for number in range(len(form.projections)):
        projections.declare(sheet, form, number)
    widest = sheet.number("widest")
    sheet.kept("arrived", widest)
    if any(mine.stepped for mine in form.populations):
        sheet.number("window_start")
        sheet.number("window_stop")
    if form.margins:
        sheet.changed_array("margins")


def _sample(sheet: Sheet, form: Form) -> None:
    with sheet.block("for (int64_t tick = 0; tick < sample_steps; ++tick)"):
        sheet.add("if (*stop) return STOPPED;")
        sheet.add("const int64_t step = sample * sample_steps + tick;")
        _step(sheet, form)
    _end_of_sample(sheet, form)


def _step(sheet: Sheet, form: Form) -> None:
    _hashes(sheet, form)
    write_step(form, _Parts(sheet, form))
    if any(mine.stepped for mine in form.populations):
        with sheet.block("if (step >= window_start && step < window_stop)"):
            for number in range(len(form.populations)):
                populations.keep_step(sheet, form, number)


@dataclass
class _Parts:
    """The parts of a step, in C++."""

    sheet: Sheet
    form: Form

    def train(self, number: int) -> None:
        """As `bridge.backends.compiled.order` says, and so the others."""
        arrivals.train_lines(self.sheet, number)

    def look(self, number: int) -> None:
        projections.input_lines(self.sheet, self.form, number)

    def decay(self, number: int) -> None:
        projections.decay_loop(self.sheet, self.form, number)

    def take(self, number: int) -> None:
        projections.take_lines(self.sheet, self.form, number)

    def population(self, number: int) -> None:
        populations.step_lines(self.sheet, self.form, number)


def _hashes(sheet: Sheet, form: Form) -> None:
    """What all neurons of a trial share in a step: the noise's key, and how hard each push is."""
    if any(each.noise == "counted" for each in form.populations):
        sheet.add(_NOISE_KEY)
    for m in range(form.stimulations):
        keys = f"push_keys_{m}[2 * trial], push_keys_{m}[2 * trial + 1]"
        sheet.add(
            f"const bool inside_{m} = step >= push_start_{m} && step < push_stop_{m} && "
            f"(int64_t)(uint32_t)step_key((int32_t)step, {keys}) < push_draws_{m};",
            f"const real push_{m} = inside_{m} ? amplitudes[{m}] : (real)0;",
        )


def _end_of_sample(sheet: Sheet, form: Form) -> None:
    """What is wanted is kept, and a state that is no longer a number ends the trial."""
    for number, mine in enumerate(form.populations):
        populations.keep_sample(sheet, form, number)
        for place, state in enumerate(mine.states):
            with sheet.block(f"if (!finite(state_{number}_{state}, size_{number}))"):
                sheet.add(f"left.population = {number};", f"left.state = {place};")
                sheet.add(
                    f"left.neuron_at = broken(state_{number}_{state}, size_{number});",
                    "left.last_step = (sample + 1) * sample_steps - 1;",
                    "return NOT_FINITE;",
                )
    sheet.add("*done = sample + 1;")


def _margins(sheet: Sheet, form: Form) -> None:
    if not form.margins:
        return
    sheet.add("if (sample + 1 < samples) return 0;", "margins[trial] = (real)INFINITY;")
    for number, mine in enumerate(form.populations):
        if mine.fires:
            with sheet.block(f"for (int64_t i = 0; i < size_{number}; ++i)"):
                margin = f"margin_{number}[i]"
                sheet.add(f"if ({margin} < margins[trial]) margins[trial] = {margin};")


_NOISE_KEY = (
    "const int32_t noise_key = "
    "step_key((int32_t)step, noise_keys[2 * trial], noise_keys[2 * trial + 1]);"
)
