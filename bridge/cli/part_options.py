"""The options by which `spikebridge import` is given what a state dict does not say."""

from typing import Annotated, Any

import typer

PYTORCH = "PyTorch's own name"


def _option(said: str, shown: str, metavar: str | None = None) -> Any:
    return typer.Option(
        help=said,
        show_default=shown,
        metavar=metavar,
        rich_help_panel="State dicts (safetensors)",
    )


Recurrent = Annotated[str | None, _option("Name of the recurrent weights W.", PYTORCH)]
WIn = Annotated[str | None, _option("Name of the input weights W_in.", PYTORCH)]
Readout = Annotated[
    str | None,
    _option("Name of the output weights, with the bias of that name.", "the only ones"),
]
BOut = Annotated[str | None, _option("Name of an output bias called otherwise.", "none")]
Bias = Annotated[
    list[str] | None,
    _option("Name of a bias of the units called otherwise. May be given again.", "none", "NAME"),
]
InitialState = Annotated[str | None, _option("Name of the state to start from.", "zero")]
TauMs = Annotated[
    str | None,
    _option("Time constants, ms: a number, or the name of an array of them.", "of nn.RNN the step"),
]
Form = Annotated[
    str | None,
    _option(
        "x: tau dx/dt = -x + W f(x) + W_in u + b. h: tau dh/dt = -h + f(W h + W_in u + b).",
        "of nn.RNN h",
    ),
]
HighestRate = Annotated[
    float | None, _option("Where softplus and relu are clipped, inf for nowhere.", "as in PyTorch")
]
Orientation = Annotated[
    str | None,
    _option("How arrays without `weight` in their name lie: post_pre or pre_post.", "post_pre"),
]
