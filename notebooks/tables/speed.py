"""How long backends take: from the benchmark on record."""

from collections.abc import Iterator

from tables.markdown import rows_of, table

FILE, UNITS, TRIALS = "benchmarks/epyc-2core/benchmark.csv", 200, (1, 10, 100, 1000)
HEAD = (
    "wall s per second of each trial",
    *(f"{count:,} trial{'s' if count > 1 else ''}" for count in TRIALS),
    "times the floor, most trials",
    "peak memory there (MB)",
)


def backends() -> Iterator[str]:
    """A row for each backend, a column for each number of trials."""
    measured: dict[str, dict[int, dict[str, str]]] = {}
    for row in rows_of(FILE):
        if row["part"] == "backends" and int(row["n"]) == UNITS and row["wall_s_per_trial_s"]:
            measured.setdefault(_name(row), {})[int(row["batch"])] = row
    return table(HEAD, (_row(name, runs) for name, runs in sorted(measured.items())))


def _name(row: dict[str, str]) -> str:
    mode = f", {row['mode']}" if row["mode"] else ""
    dtype = row["dtype"] if row["backend"] in ("snntorch", "compiled") else ""
    return f"`{':'.join(filter(None, (row['backend'], row['target'] or dtype)))}`{mode}"


def _row(name: str, runs: dict[int, dict[str, str]]) -> tuple[str, ...]:
    told = (f"{float(runs[n]['wall_s_per_trial_s']):.2g}" if n in runs else "" for n in TRIALS)
    last = runs[max(runs)]
    return (name, *told, f"{float(last['ratio_to_floor']):.1f}", f"{float(last['peak_mb']):.0f}")
