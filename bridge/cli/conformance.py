"""`spikebridge conformance`."""

from pathlib import Path
from typing import Annotated

import typer

from bridge import terminal
from bridge.cli.app import All, Force, app, example
from bridge.cli.words import between_commas
from bridge.errors import BackendError, SpecError
from bridge.stages import check_writable


@app.command(
    epilog=example(
        "spikebridge conformance",
        "spikebridge conformance --importers norse,snntorch --graphs flat-loop,nested-loop --all",
        "spikebridge conformance --python sinabs=sinabs/bin/python --out results/conformance.csv",
    )
)
def conformance(
    importers: Annotated[
        str | None,
        typer.Option(
            help="snntorch, norse, spikingjelly, sinabs, rockpool, spyx or sc_neurocore, with "
            "commas.",
            show_default="all of them",
        ),
    ] = None,
    graphs: Annotated[
        str | None,
        typer.Option(
            help="Names of graphs, with commas, as the table shows them.",
            show_default="all of them",
        ),
    ] = None,
    python: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=PATH",
            help="The Python of another environment, with an importer that does not go with the "
            "others. May be given again.",
            show_default=False,
        ),
    ] = None,
    limit_s: Annotated[
        float, typer.Option(help="How long an importer may take for a graph, s.")
    ] = 60.0,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Where the table goes: .csv, with all that is said; or a picture, .svg, .png or "
            ".pdf.",
            show_default="nowhere",
        ),
    ] = None,
    everything: All = False,
    force: Force = False,
) -> None:
    """Which importers of NIR read it right: small graphs, each of them a trap, run by all of them.

    What is right is computed by the equations. Every importer runs in a process of its own.
    """
    from bridge.conformance import table
    from bridge.conformance.output import SUFFIXES, write
    from bridge.conformance.running import chosen_importers, chosen_traps, run

    if out is not None:
        if out.suffix.lower() not in SUFFIXES:
            raise SpecError(f"--out {out}: expected a file that ends in {', '.join(SUFFIXES)}")
        check_writable(out, force=force)
    chosen = chosen_importers(_names("--importers", importers), python or ())
    traps = chosen_traps(_names("--graphs", graphs))
    with terminal.progress_bar("running importers") as report:
        found = run(
            chosen,
            traps,
            limit_s=limit_s,
            on_progress=lambda fraction, note: report.of_part(note, fraction),
        )
    # First of all, since whoever reads what is said may stop early.
    if out is not None and not all(each.missing for each in found):
        write(out, found, traps)
    for each in found:
        terminal.say(table.summary(each))
    if all(each.missing for each in found):
        raise BackendError("none of these importers is installed")
    terminal.say("")
    terminal.show_columns(table.verdicts(found, traps))
    terminal.say("")
    if everything:
        terminal.show_columns(table.details(found, traps), everything=True)
    else:
        terminal.show_table("", table.legend(found))
        terminal.say("--all shows what each of them says")
    if out is not None:
        terminal.say(f"{out}: {len(traps)} graphs")


def _names(option: str, text: str | None) -> tuple[str, ...]:
    return () if text is None else tuple(between_commas(option, text))
