"""The whole text of a kernel: a trial in one program, from its first step to its last."""

from dataclasses import dataclass

from bridge.backends.compiled.form import Form
from bridge.backends.compiled.gpu import populations, projections
from bridge.backends.compiled.gpu.sheet import KernelSheet, NoiseText
from bridge.backends.compiled.order import write_step
from bridge.backends.native_noise import step_lines


def kernel(form: Form, *, held: bool) -> KernelSheet:
    """The kernel of a form, with the names of what it has to be handed.

    Args:
        form: Of the run.
        held: Whether constants stay in registers, or are read again in each step.
    """
    sheet = KernelSheet(form.dtype, held=held)
    _declare(sheet, form)
    with sheet.block("while going > 0"):
        with sheet.block("for tick in range(sample_steps)"):
            sheet.let("step", "sample * sample_steps + tick")
            _step(sheet, form)
        for number in range(len(form.populations)):
            populations.keep_sample(sheet, form, number)
        for number in range(len(form.populations)):
            populations.check_finite(sheet, form, number)
        sheet.put("sample", "sample + 1")
        sheet.put("going", "going * (sample < samples).to(tl.int32)")
    _leave(sheet, form)
    return sheet


def _declare(sheet: KernelSheet, form: Form) -> None:
    sheet.let("trial", "tl.program_id(0).to(tl.int64)")
    for name in ("trials", "samples", "sample_steps", "offset_steps", "channels"):
        sheet.number(name)
    for name in ("neurons", "room"):
        sheet.number(name)
    for name in ("inputs", "spikes", "counts", "failures"):
        sheet.array(name)
    sheet.let("gain", f"tl.load({sheet.array('gains')} + trial)")
    if any(mine.noise == "counted" for mine in form.populations):
        _keys(sheet, "noise_keys")
    for m in range(form.stimulations):
        _keys(sheet, f"push_keys_{m}")
        for name in (f"push_start_{m}", f"push_stop_{m}", f"push_draws_{m}"):
            sheet.number(name)
        sheet.let(f"amplitude_{m}", f"tl.load({sheet.array('amplitudes')} + {m})")
    for number in range(len(form.populations)):
        populations.declare(sheet, form, number)
    for number in range(len(form.projections)):
        projections.declare(sheet, form, number)
    if any(mine.stepped for mine in form.populations):
        sheet.number("window_start")
        sheet.number("window_stop")
    sheet.whole("events")
    sheet.whole("sample")
    sheet.let("going", "(samples > 0).to(tl.int32)")


def _keys(sheet: KernelSheet, name: str) -> None:
    """The two keys of a trial."""
    at = sheet.array(name)
    for word in (0, 1):
        sheet.let(f"{name}_{word}", f"tl.load({at} + 2 * trial + {word})")


def _hash(sheet: KernelSheet, prefix: str, keys: str) -> str:
    """The name of what the neurons of a trial share in a step."""
    given = (sheet.counted_step(), f"{keys}_0", f"{keys}_1")
    lines, name = step_lines(NoiseText(sheet), prefix, *given)
    sheet.add(*lines)
    return name


def _step(sheet: KernelSheet, form: Form) -> None:
    if any(mine.noise == "counted" for mine in form.populations):
        sheet.let("noise_key", _hash(sheet, "shared_", "noise_keys"))
    for m in range(form.stimulations):
        # Unsigned 32 bits, as 64.
        word = f"({_hash(sheet, f'pushed{m}_', f'push_keys_{m}')}.to(tl.int64) & 0xFFFFFFFF)"
        within = f"(step >= push_start_{m}) & (step < push_stop_{m})"
        inside = f"{within} & ({word} < push_draws_{m})"
        sheet.let(f"push_{m}", f"tl.where({inside}, amplitude_{m}, {sheet.literal(0.0)})")
    write_step(form, _Parts(sheet, form))
    if any(mine.stepped for mine in form.populations):
        with sheet.block("if (step >= window_start) & (step < window_stop)"):
            for number in range(len(form.populations)):
                populations.keep_step(sheet, form, number)


@dataclass
class _Parts:
    """The parts of a step, in Triton."""

    sheet: KernelSheet
    form: Form

    def train(self, number: int) -> None:
        """Nothing: each projection looks for the spikes that arrive over it."""

    def look(self, number: int) -> None:
        projections.look_lines(self.sheet, self.form, number)

    def decay(self, number: int) -> None:
        projections.decay(self.sheet, self.form, number)

    def take(self, number: int) -> None:
        projections.take_lines(self.sheet, self.form, number)

    def population(self, number: int) -> None:
        populations.step_lines(self.sheet, self.form, number)


def _leave(sheet: KernelSheet, form: Form) -> None:
    """How many spikes there were, and how near to threshold any voltage came."""
    sheet.add("tl.store(counts_at + trial, events)")
    if not form.margins:
        return
    sheet.let("margin", f'tl.full([], float("inf"), {sheet.real})')
    for number, mine in enumerate(form.populations):
        if mine.fires:
            there = f'tl.where(there_{number}, margin_{number}, float("inf"))'
            sheet.let(f"least_{number}", f"tl.min({there}, axis=0)")
            least = f"least_{number}"
            sheet.put("margin", f"tl.where({least} < margin, {least}, margin)")
    sheet.add(f"tl.store({sheet.changed_array('margins')} + trial, margin)")
