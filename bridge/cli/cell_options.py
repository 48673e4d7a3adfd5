"""The options by which `spikebridge train-src` is given a cell's constants, set by hand."""

from typing import Annotated, Any

import typer


def _option(said: str) -> Any:
    return typer.Option(help=said, rich_help_panel="Constants of the cells")


Alpha = Annotated[float, _option("What a step leaves of the synaptic current.")]
Rho = Annotated[float, _option("Bound of what the current does to h.")]
R = Annotated[float, _option("Weight of h on itself.")]
RSlow = Annotated[float, _option("Weight of the slow h_s on h.")]
ZHyp = Annotated[float, _option("What a step leaves of h_s between spikes.")]
ZDep = Annotated[float, _option("What a step leaves of h_s in a spike.")]
Bias = Annotated[float, _option("Of h; near -4.4 cells spike often.")]
