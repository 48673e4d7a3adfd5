"""Measuring training and the search for the scale factor."""

import time
from itertools import pairwise
from typing import Any

import bridge
from bridge.benchmark.case import Case
from bridge.benchmark.clock import cpu_s, timed
from bridge.exchange import shipped
from bridge.methods.search_options import INVERSE_SCALES
from bridge.rate.network import RateNetwork
from bridge.rate.training_loop import Progress

# Updates between two looks at the clock.
UPDATES = 25
TRAINED = shipped.file_of("go_nogo_n200")


def measure_training(case: Case, started: float) -> dict[str, Any]:
    """Time updates of as many networks as the target says, after `UPDATES` to warm up."""
    networks = int(case.target.removeprefix("K="))
    stamps: list[tuple[float, float]] = []

    def look(progress: Progress) -> None:
        if progress.seed == 0:
            stamps.append((time.perf_counter(), cpu_s()))

    bridge.train_many(
        "go-nogo",
        range(networks),
        units=case.n,
        batch=case.batch,
        device=case.device,
        on_progress=look,
        check_every=UPDATES,
        max_updates=UPDATES * (case.repeats + 1),
        # Never reached; and an evaluation as good as free.
        target_loss=1e-9,
        evaluation_trials=1,
    )
    pairs = list(pairwise(stamps))
    return {
        "start_s": time.time() - started - (stamps[-1][0] - stamps[0][0]),
        "wall_s": [(after[0] - before[0]) / UPDATES for before, after in pairs],
        "cpu_s": [(after[1] - before[1]) / UPDATES for before, after in pairs],
        "trial_s": networks * case.batch * case.simulated_s,
        "note": "a run is one update of each network",
    }


def measure_search(case: Case, started: float) -> dict[str, Any]:
    """Time the search of a trained network of N = 200, or of one trained a little here."""
    rate, note = _trained(case.n)
    exhaustive = case.target == "exhaustive"
    trials = case.batch // len(INVERSE_SCALES)
    options: dict[str, Any] = {
        "trials": trials,
        "device": case.device,
        # These and no others, so that as many trials are done for any network.
        "inverse_scales": INVERSE_SCALES,
    }
    start_s = time.time() - started
    runs = [
        timed(lambda: bridge.convert(rate, exhaustive=exhaustive, **options))
        for _ in range(case.repeats)
    ]
    search = runs[-1].result.search
    done = int(search.done().sum())
    return {
        "start_s": start_s,
        "wall_s": [run.wall_s for run in runs],
        "cpu_s": [run.cpu_s for run in runs],
        "trial_s": done * case.simulated_s,
        "note": "; ".join([f"{done} of {case.batch} trials done", *note]),
    }


def _trained(units: int) -> tuple[RateNetwork, list[str]]:
    stored = bridge.load(TRAINED)
    if isinstance(stored, RateNetwork) and stored.size == units:
        return stored, []
    rate = bridge.train("go-nogo", units=units, max_updates=100)
    return rate, [f"network trained for {rate.provenance['updates']} updates"]
