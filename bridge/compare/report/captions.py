"""What is said below the pictures of searches."""

from bridge.compare.agreement import Agreement
from bridge.methods.gain_search import WANTED, GainSearch
from bridge.methods.output_error import FAITHFUL
from bridge.methods.scale_search import ScaleSearch, Search


def worth_a_curve(agreement: Agreement) -> bool:
    """Whether the picture of the search does not show it already."""
    alone = len(agreement.curves) == 1
    if alone and isinstance(agreement.search, GainSearch):
        return False
    return any(curve.rates_hz.size > 1 for curve in agreement.curves)


def errors_caption(kinds: int) -> str:
    """What the curves of so many kinds of neurons show."""
    several = "each kind of neuron" if kinds > 1 else "these neurons"
    return (
        f"Output error of {several} against how much they fire, a dot for each scale factor or "
        "gain that was tried. Lines go through them in ascending order. A ring marks the chosen "
        f"one; below the dotted line, {FAITHFUL:g}, the output counts as kept."
    )


def sought(search: Search) -> str:
    """What was searched for."""
    return "scale factor" if isinstance(search, ScaleSearch) else "gain"


def search_caption(search: Search) -> str:
    """What the panels of a search show, and what was chosen."""
    scaled = isinstance(search, ScaleSearch)
    at = "with all recurrent and output weights divided by 1/λ"
    if not scaled:
        at = "against the mean rate of its neurons, which the gain decides"
    told = [f"{_judged_by(search)[0]} {at}{_judged_by(search)[1]}."]
    if search.output_error is not None:
        told += [
            "Output error: squared deviation from the rate network's output without noise, over "
            "the variance of that.",
            f"Up to {FAITHFUL:g}, dotted, it counts as kept."
            if scaled
            else f"Up to {FAITHFUL:g} it counts as kept; up to {WANTED:g}, dotted, it is enough.",
        ]
    if search.unit_correlations is not None:
        told.append(
            "Units: correlation of each neuron's filtered spikes with the rate of its unit, median "
            "and quartiles."
        )
    if isinstance(search, ScaleSearch):
        chosen = f"by the rule {search.rule}: {search.best_inverse_scale:g}"
    else:
        chosen = f"{search.told_choice()}; {search.told_rule()}"
    return f"{' '.join(told)} Chosen, dashed, {chosen}."


def _judged_by(search: Search) -> tuple[str, str]:
    """What the first panel shows, and what its bars are."""
    if search.correct is not None:
        return "Accuracy of the spiking network", "; bars: 95 % Wilson intervals"
    if search.measured is None:
        return "The spiking network", ""
    number = "The task's number, median over trials, of the spiking network"
    return number, "; bars: from its lowest to its highest"
