"""Go-NoGo from end to end: trained, converted, run in two simulators, and compared."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import bridge
from bridge import terminal
from bridge.backends import COMPARED
from bridge.errors import OutputError
from bridge.stages import check_writable, compare_to, convert_to, load_kind, train_to

# Past the target a network goes on to learn to bear noise, and so to keep its output as spikes: of
# 20 networks of 200 units four of the five with the largest output errors, 0.2 to 1.3, had ended
# before 700 updates; six that made 1,000 had 0.07 to 0.12.
MIN_UPDATES = 1000


def demo(
    out: Path,
    units: int,
    max_updates: int,
    search_trials: int,
    trials: int,
    *,
    seed: int,
    asked: Collection[str] = (),
) -> "bridge.Agreement":
    """Leave all results in `out`; what an earlier run has finished is kept.

    Args:
        out: Folder for the results.
        units: Units of the rate network.
        max_updates: Training gives up after.
        search_trials: Trials at each scale factor.
        trials: Trials of the cross-check.
        seed: Decides everything random.
        asked: Which of these a user has set, so that what is kept must have been made with them.

    Raises:
        OutputError: `out` holds results of an earlier run that were made with others.
    """
    page = out / "agreement.html"
    check_writable(page, force=True)
    wanted = {"units": units, "search_trials": search_trials, "seed": seed}
    wanted = {name: value for name, value in wanted.items() if name in asked}
    _check_kept(out, wanted)
    rate = _rate(out / "rate.h5", units, max_updates, seed)
    conversion = _conversion(out / "lif.h5", rate, search_trials, seed)
    agreement = compare_to(conversion, page, backends=list(COMPARED), trials=trials, seed=seed)
    for label, recording in agreement.frozen.items():
        bridge.save(recording, out / f"{label}.h5", force=True)
        terminal.say(f"{out / label}.h5: recording")
    return agreement


def _check_kept(out: Path, wanted: dict[str, int]) -> None:
    """Raise OutputError where an earlier run has kept what was made otherwise."""
    rate, lif = out / "rate.h5", out / "lif.h5"
    if rate.exists():
        kept = load_kind(rate, bridge.RateNetwork, "a rate network")
        made = dict(kept.provenance.get("options", {}))
        _check_same(rate, {"units": kept.size, "seed": made.get("seed")}, wanted)
    if lif.exists():
        search = load_kind(lif, bridge.Conversion, "a conversion").search
        _check_same(lif, {"search_trials": search.trials, "seed": search.seed}, wanted)


def _check_same(path: Path, made: dict[str, object], wanted: dict[str, int]) -> None:
    for name in made.keys() & wanted:
        if made[name] not in (None, wanted[name]):
            raise OutputError(
                f"{path} is kept from an earlier run with {name} {made[name]}, not {wanted[name]}: "
                "take another folder, or remove it"
            )


def _rate(path: Path, units: int, max_updates: int, seed: int) -> "bridge.RateNetwork":
    options: dict[str, Any] = {
        "units": units,
        "min_updates": min(MIN_UPDATES, max_updates),
        "max_updates": max_updates,
        "seed": seed,
    }
    if path.exists():
        kept = load_kind(path, bridge.RateNetwork, "a rate network")
        if kept.checkpoint is None or kept.checkpoint.updates >= max_updates:
            terminal.say(f"{path}: kept from an earlier run")
            return kept
        options = {"resume": kept, "max_updates": max_updates}
    # It takes a while to load, and what is kept needs no training.
    from bridge.rate.plan import check_training

    network = train_to(check_training("go-nogo", **options), path, options.get("resume"))
    if network.provenance["stopped"] == "interrupted":
        raise KeyboardInterrupt
    return network


def _conversion(
    path: Path, rate: "bridge.RateNetwork", trials: int, seed: int
) -> "bridge.Conversion":
    if path.exists():
        terminal.say(f"{path}: kept from an earlier run")
        return load_kind(path, bridge.Conversion, "a conversion")
    return convert_to(rate, path, trials=trials, seed=seed)
