"""Go-NoGo from end to end: trained, converted, run in two simulators, and compared."""

from pathlib import Path
from typing import Any

import bridge
from bridge import terminal
from bridge.stages import check_writable, compare_to, convert_to, load_kind, train_to


def demo(
    out: Path, units: int, max_updates: int, search_trials: int, trials: int, *, seed: int
) -> "bridge.Agreement":
    """Leave all results in `out`; what an earlier run has finished is kept.

    Args:
        out: Folder for the results.
        units: Units of the rate network.
        max_updates: Training gives up after.
        search_trials: Trials at each scale factor.
        trials: Trials of the cross-check.
        seed: Decides everything random.
    """
    page = out / "agreement.html"
    check_writable(page, force=True)
    rate = _rate(out / "rate.h5", units, max_updates, seed)
    conversion = _conversion(out / "lif.h5", rate, search_trials, seed)
    agreement = compare_to(
        conversion, page, backends=["brian2", "snntorch"], trials=trials, seed=seed
    )
    for label, recording in agreement.frozen.items():
        bridge.save(recording, out / f"{label}.h5", force=True)
        terminal.say(f"{out / label}.h5: recording")
    return agreement


def _rate(path: Path, units: int, max_updates: int, seed: int) -> "bridge.RateNetwork":
    options: dict[str, Any] = {"units": units, "max_updates": max_updates, "seed": seed}
    if path.exists():
        kept = load_kind(path, bridge.RateNetwork, "a rate network")
        if kept.checkpoint is None or kept.checkpoint.updates >= max_updates:
            terminal.say(f"{path}: kept from an earlier run")
            return kept
        options = {"resume": kept, "max_updates": max_updates}
    network = train_to("go-nogo", path, **options)
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
