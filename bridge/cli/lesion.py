"""`spikebridge lesion`."""

from pathlib import Path
from typing import Annotated

import typer

import bridge
from bridge import terminal
from bridge.cli.app import Force, TaskFile, app, example
from bridge.cli.units import parse_units
from bridge.errors import FormatError, SpecError
from bridge.spiking.essentials import several
from bridge.stages import check_writable


@app.command(
    epilog=example(
        "spikebridge lesion results/lif.h5 --cell-type SOM --out results/lesioned.h5",
        "spikebridge lesion results/lif.h5 --units 0-19,25 --scale 0.5 --out results/weaker.h5",
        "spikebridge lesion results/lif.h5 --cell-type SOM --onto PYR --scale 2 "
        "--out results/stronger.h5",
    )
)
def lesion(
    network: Annotated[
        Path,
        typer.Argument(
            help="A rate or a spiking network, as `train`, `import`, `convert` and `lesion` write "
            "it; of a conversion its spiking network.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option(help="Where the network goes.", show_default=False)],
    cell_type: Annotated[
        str | None, typer.Option(help="Units of this kind, as SOM.", show_default=False)
    ] = None,
    units: Annotated[
        str | None, typer.Option(help="Units by number, as 0-19,25.", show_default=False)
    ] = None,
    onto: Annotated[
        str | None,
        typer.Option(help="Only their weights onto units of this kind.", show_default="all"),
    ] = None,
    scale: Annotated[float, typer.Option(help="Factor of their outgoing weights.")] = 0.0,
    force: Force = False,
    task_file: TaskFile = None,
) -> None:
    """Silence units, or make what they send weaker or stronger: recurrent weights and readouts."""
    from bridge.methods.lesion import chosen_units

    with terminal.waiting("reading it"):
        stored = bridge.load(network)
    holds = bridge.Conversion | bridge.TargetFit | bridge.TrainedNetwork
    spiking = stored.network if isinstance(stored, holds) else stored
    if not isinstance(spiking, bridge.SpikingNetwork | bridge.RateNetwork):
        raise FormatError(f"{network}: a rate or a spiking network is needed")
    check_writable(out, force=force)
    numbers = None if units is None else parse_units(units)
    if units is not None and numbers is None:
        raise SpecError(f"--units {units}: expected numbers; a cell type is chosen by --cell-type")
    with terminal.progress_bar("changing weights", patient=True) as report:
        changed = bridge.lesion(
            spiking,
            units=numbers,
            cell_type=cell_type,
            onto=onto,
            scale=scale,
            on_progress=report,
        )
    with terminal.waiting("writing it"):
        bridge.save(changed, out, force=True)
    count = several(chosen_units(spiking, units=numbers, cell_type=cell_type).size, "unit")
    what = "" if onto is None else f" onto {onto}"
    terminal.say(f"{out}: weights of {count}{what} multiplied by {scale:g}")
