"""Which constants of Spiking Recurrent Cells matter, and in which range they work."""

from collections.abc import Iterator
from statistics import median

from bridge.methods.src.options import CONSTANTS
from tables.markdown import rows_of, table

# A design works where it knows as many digits as the published one, less two of a hundred.
LOSS = 0.02
TARGETS = ("right", "spikes_per_cell_and_picture", "steps_of_a_spike")
Rows = list[dict[str, str]]

SWEEP_HEAD = (
    "constant",
    "published",
    "tried",
    "works",
    "spikes per cell and picture",
    "steps of a spike",
)


def works(row: dict[str, str], published: dict[str, str]) -> bool:
    """Whether a design knows about as many digits as the published one."""
    return float(row["right"]) >= float(published["right"]) - LOSS


def region(name: str, rows: Rows) -> tuple[Rows, Rows]:
    """All designs of a sweep in order, and those around the published one that work."""
    published = rows[0]
    mine = sorted(
        [published, *(row for row in rows if row["changed"] == name)],
        key=lambda row: float(row[name]),
    )
    first = last = mine.index(published)
    while first and works(mine[first - 1], published):
        first -= 1
    while last + 1 < len(mine) and works(mine[last + 1], published):
        last += 1
    return mine, mine[first : last + 1]


def sweeps() -> Iterator[str]:
    """One constant changed alone, a row for each."""
    rows = rows_of("constants.csv")
    return table(SWEEP_HEAD, (_sweep_row(name, rows) for name in CONSTANTS))


def _sweep_row(name: str, rows: Rows) -> tuple[object, ...]:
    tried, working = region(name, rows)
    spikes, steps = (
        " to ".join(f"{each(float(row[column]) for row in working):.1f}" for each in (min, max))
        for column in TARGETS[1:]
    )
    ends = (f"{float(part[0][name]):g} to {float(part[-1][name]):g}" for part in (tried, working))
    return (name, f"{float(rows[0][name]):g}", *ends, spikes, steps)


RANDOM_HEAD = ("a single cell", "designs", "work (%)", "correct (%), median", "lowest", "highest")
KINDS = ("excitable", "fires by itself", "needs more current", "never fires")


def at_random() -> Iterator[str]:
    """All constants at random, a row for what a single cell does by its equations."""
    rows = rows_of("constants.csv")
    others = [row for row in rows if row["changed"] == "all"]
    groups = {kind: [row for row in others if row["expected"] == kind] for kind in KINDS}
    told = {kind: mine for kind, mine in groups.items() if mine} | {"all": others}
    return table(RANDOM_HEAD, (_random_row(kind, mine, rows[0]) for kind, mine in told.items()))


def _random_row(kind: str, mine: Rows, published: dict[str, str]) -> tuple[object, ...]:
    right = [100 * float(row["right"]) for row in mine]
    share = sum(works(row, published) for row in mine) / len(mine)
    found = (f"{value:.1f}" for value in (median(right), min(right), max(right)))
    return (kind, len(mine), f"{100 * share:.0f}", *found)


IMPORTANCE_HEAD = (
    "constant",
    "drawn from",
    *(
        f"{what}: {number}"
        for what in ("correct", "spikes", "steps of a spike")
        for number in ("importance", "rank correlation")
    ),
)


def importance() -> Iterator[str]:
    """What each constant is worth where all vary, and how well all of them predict."""
    rows, designs = rows_of("constants_importance.csv"), rows_of("constants.csv")
    told = {(row["of"], row["constant"]): row for row in rows}
    predicted = [f"{float(told[target, CONSTANTS[0]]['r2']):.2f}" for target in TARGETS]
    last = ("R² of all", "", *(cell for r2 in predicted for cell in (r2, "")))
    return table(IMPORTANCE_HEAD, [*(_worth(name, told, designs) for name in CONSTANTS), last])


def _worth(
    name: str, told: dict[tuple[str, str], dict[str, str]], designs: Rows
) -> tuple[object, ...]:
    drawn = [float(row[name]) for row in designs if row["changed"] == "all"]
    found = (
        # What is added makes 0 of -0.
        f"{round(float(told[target, name][column]), 2) + 0.0:.2f}"
        for target in TARGETS
        for column in ("importance", "rank_correlation")
    )
    return (name, f"{round(min(drawn), 2):g} to {round(max(drawn), 2):g}", *found)
