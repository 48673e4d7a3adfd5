"""How well Spiking Recurrent Cells classify digits."""

from collections.abc import Iterator
from statistics import mean

from tables.markdown import UNKNOWN, rows_of, table

HEAD = (
    "network of layers of 100",
    "seeds",
    "correct (%)",
    "lowest",
    "highest",
    "spikes per cell and picture",
    "CPU s to train",
)


def cells() -> Iterator[str]:
    """Held-out digits, a row for each kind of network."""
    rows = rows_of("spiking_recurrent_cells.csv")
    kinds = dict.fromkeys(row["network"] for row in rows)
    return table(HEAD, (_row(kind, rows) for kind in kinds))


def _row(kind: str, rows: list[dict[str, str]]) -> tuple[object, ...]:
    mine = [row for row in rows if row["network"] == kind]
    right = [100 * float(row["right"]) for row in mine]
    spikes = mean(float(row["spikes_per_cell_and_picture"]) for row in mine)
    seconds = sorted(float(row["cpu_seconds"]) for row in mine)[len(mine) // 2]
    return (
        kind,
        len(mine),
        f"{mean(right):.1f}",
        f"{min(right):.1f}",
        f"{max(right):.1f}",
        f"{spikes:.2f}",
        f"{seconds:.0f}",
    )


CHANGED_HEAD = ("change", "amount", "networks", "correct (%)", "lowest", "spikes per picture")


def changed() -> Iterator[str]:
    """Networks with rounded weights, flipped input and whole numbers, a row for each amount."""
    rows = rows_of("rounded_cells.csv")
    kinds = dict.fromkeys((row["change"], row["amount"]) for row in rows)
    return table(CHANGED_HEAD, (_changed_row(*kind, rows) for kind in kinds))


def _changed_row(change: str, amount: str, rows: list[dict[str, str]]) -> tuple[object, ...]:
    mine = [row for row in rows if (row["change"], row["amount"]) == (change, amount)]
    right = [100 * float(row["right"]) for row in mine]
    spikes = mean(float(row["spikes_per_picture"]) for row in mine)
    shown = UNKNOWN if amount == "0.0" else amount
    return (change, shown, len(mine), f"{mean(right):.1f}", f"{min(right):.1f}", f"{spikes:.0f}")


EPOCH_HEAD = ("layers of 100", "CPU s for an epoch", "least", "most")


def epochs() -> Iterator[str]:
    """Epochs of training, a row for each number of layers."""
    rows = rows_of("src_epochs.csv")
    return table(EPOCH_HEAD, (_epoch_row(row) for row in rows))


def _epoch_row(row: dict[str, str]) -> tuple[object, ...]:
    times = (f"{float(row[name]):.2f}" for name in ("cpu_s", "least_cpu_s", "most_cpu_s"))
    return (row["layers"], *times)


LEVELS = (0.9, 0.95)
ENERGY_HEAD = (
    "100 units",
    "learning rate",
    "correct, set aside (%)",
    "correct, held out (%)",
    "spikes or values passed on",
    "operations, all steps",
    *(f"operations until {100 * level:.0f} %" for level in LEVELS),
)


def energy() -> Iterator[str]:
    """What answers cost, a row for each kind of network."""
    rows = rows_of("energy.csv")
    kinds = dict.fromkeys(row["network"] for row in rows)
    return table(
        ENERGY_HEAD, (_energy_row([r for r in rows if r["network"] == kind]) for kind in kinds)
    )


def _energy_row(mine: list[dict[str, str]]) -> tuple[object, ...]:
    *_, last = mine
    return (
        last["network"],
        last["learning_rate"],
        f"{100 * float(last['right_aside']):.1f}",
        f"{100 * float(last['right']):.1f}",
        f"{float(last['active_values']):,.0f}",
        f"{int(last['operations']):,}",
        *(_reached(mine, level) for level in LEVELS),
    )


def _reached(mine: list[dict[str, str]], level: float) -> str:
    """Operations up to the first step from which on so many answers are right."""
    below = [number for number, row in enumerate(mine) if float(row["right"]) < level]
    first = below[-1] + 1 if below else 0
    return f"{int(mine[first]['operations']):,}" if first < len(mine) else UNKNOWN


DEPTH_HEAD = ("cells", "layers", "seeds", "correct (%)", "lowest", "highest", "parameters", "rate")


def depth() -> Iterator[str]:
    """Held-out digits by kind of cell and depth."""
    rows = rows_of("depth.csv")
    kinds = sorted(
        dict.fromkeys((row["cell"], int(row["layers"])) for row in rows), key=lambda kind: kind[1]
    )
    return table(DEPTH_HEAD, (_depth_row(*kind, rows) for kind in kinds))


def _depth_row(cell: str, layers: int, rows: list[dict[str, str]]) -> tuple[object, ...]:
    mine = [row for row in rows if (row["cell"], row["layers"]) == (cell, str(layers))]
    right = [100 * float(row["right"]) for row in mine]
    found = (f"{value:.1f}" for value in (mean(right), min(right), max(right)))
    return (cell, layers, len(mine), *found, mine[0]["parameters"], mine[0]["rate"])
