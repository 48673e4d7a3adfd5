"""What is under way to a target: samples of inputs, and what arrives later than it was sent."""

from bridge.backends.compiled.form import ProjectionForm
from bridge.backends.compiled.sheet import Sheet


def declare_train(sheet: Sheet, number: int) -> None:
    """The spikes of an input, trial after trial, and where those of this trial are."""
    sheet.number(f"size_{number}")
    sheet.add(f"const int64_t width_{number} = padded(size_{number});")
    sheet.array(f"train_steps_{number}", "int32_t")
    sheet.array(f"train_units_{number}", "int32_t")
    first = sheet.array(f"train_first_{number}", "int64_t")
    sheet.add(
        f"int64_t &next_{number} = *room.take<int64_t>(1, {first}[trial]);",
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


def next_sample(sheet: Sheet, number: int, delay: str) -> None:
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


def late_values(sheet: Sheet, part: ProjectionForm, number: int) -> str:
    """Send the values of this step on their way; the name of those that arrive."""
    width, source, turns = f"width_{part.source}", part.source, f"turns_{number}"
    if part.own_delays:
        with sheet.block(f"for (int64_t j = 0; j < size_{source}; ++j)"):
            place = f"((step + delays_{number}[j]) % {turns}) * {width} + j"
            sheet.add(f"ring_{number}[{place}] = value_{source}[j];")
    else:
        place = f"ring_{number} + ((step + delay_{number}) % {turns}) * {width}"
        sheet.add(f"copy({place}, value_{source}, {width});")
    sheet.add(f"const real *__restrict const late = ring_{number} + (step % {turns}) * {width};")
    return "late"


def late_spikes(sheet: Sheet, part: ProjectionForm, number: int) -> None:
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
