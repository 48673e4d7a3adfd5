"""`spikebridge import` and `spikebridge export`."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import bridge
from bridge import terminal
from bridge.cli.app import Force, TaskFile, TrialLength, Window, app, example, window_s
from bridge.cli.part_options import (
    Bias,
    BOut,
    Form,
    HighestRate,
    InitialState,
    Orientation,
    Readout,
    Recurrent,
    TauMs,
    WIn,
)
from bridge.errors import SpecError
from bridge.stages import check_writable, show_essentials

if TYPE_CHECKING:
    from bridge.exchange.formats import Imported, ImportedGraph

_READ = "Its format: matlab, safetensors or nir; of a recording: nwb or sonata."
_WRITTEN = "Its format: matlab or nir; of a recording: nwb or sonata."
_KEPT = "as `export` kept it in the file, else "


@app.command(
    "import",
    epilog=example(
        "spikebridge import model.mat --out results/rate.h5 --task go-nogo",
        "spikebridge import model.mat --out results/rate.h5 --task xor --relu",
        "spikebridge import model.mat --out results/rate.h5 --task none --dt-ms 20",
        "spikebridge import model.mat --out results/rate.h5 --out-lif results/lif.h5",
        "spikebridge import net.safetensors --out results/rate.h5 --dt-ms 10 --activation tanh",
        "spikebridge import net.safetensors --out results/rate.h5 --dt-ms 10 --tau-ms 100 "
        "--form x --activation relu --recurrent w_rec --w-in w_in --readout fc",
        "spikebridge import model.nir --out net.h5",
        "spikebridge import model.nir --out net.h5 --dt-ms 0.1 --reset subtract --threshold at",
        "spikebridge import session.nwb --out results/recording.h5",
        "spikebridge import spikes.h5 --from sonata --trial-s 1.0 --out results/recording.h5",
        "spikebridge import session.nwb --window-s 0:0.8 --out results/recording.h5",
    ),
)
def import_(
    file: Annotated[
        Path,
        typer.Argument(help="A network or a recording of another tool.", show_default=False),
    ],
    out: Annotated[
        Path,
        typer.Option(
            help="Where the rate network, the network of a NIR graph, or the recording goes.",
            show_default=False,
        ),
    ],
    out_lif: Annotated[
        Path | None,
        typer.Option(
            help="Where the spiking network goes, at the scale factor that the file holds.",
            show_default="none",
        ),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            help="Name of its task, or none.",
            show_default="the one that all of the file agrees on",
        ),
    ] = None,
    activation: Annotated[
        str | None,
        typer.Option(
            help="sigmoid, softplus, relu or tanh, of a state dict also relu6.",
            show_default="what the file says",
        ),
    ] = None,
    relu: Annotated[
        bool, typer.Option("--relu", help="Set negative raw weights to zero, as training did.")
    ] = False,
    from_: Annotated[
        str | None, typer.Option("--from", help=_READ, show_default="by the file's ending")
    ] = None,
    trial_s: TrialLength = None,
    dt_ms: Annotated[
        float | None,
        typer.Option(
            help="Time step, ms: of recordings that state none, of a state dict or a NIR graph, or "
            "that the time constants of a .mat file are counted in.",
            show_default="of a .mat file 5, of recordings 0.1; of NIR what the file makes certain",
        ),
    ] = None,
    window: Window = None,
    recurrent: Recurrent = None,
    w_in: WIn = None,
    readout: Readout = None,
    b_out: BOut = None,
    bias: Bias = None,
    initial_state: InitialState = None,
    tau_ms: TauMs = None,
    form: Form = None,
    highest_rate: HighestRate = None,
    orientation: Orientation = None,
    reset: Annotated[
        str | None,
        typer.Option(
            help="NIR: what a spike does to v. value: it becomes v_reset; subtract: it loses its "
            "threshold at once; subtract-late: after the leak of the next step.",
            show_default=f"{_KEPT}value",
        ),
    ] = None,
    threshold: Annotated[
        str | None,
        typer.Option(
            help="NIR: whether neurons fire strictly above threshold, or at it, too: above or at.",
            show_default=f"{_KEPT}above",
        ),
    ] = None,
    recurrent_start: Annotated[
        str | None,
        typer.Option(
            help="NIR: whether the biases of what closes loops act in the first step (equations) "
            "or from the second on (silent, as Norse, spikingjelly and nirtorch have it).",
            show_default=f"{_KEPT}equations",
        ),
    ] = None,
    force: Force = False,
    task_file: TaskFile = None,
) -> None:
    """Read a rate network, a NIR graph, or a recording, that another tool has made."""
    told: dict[str, Any] = {
        "activation": activation,
        "relu": relu or None,
        "recurrent": recurrent,
        "w_in": w_in,
        "readout": readout,
        "b_out": b_out,
        "bias": bias or None,
        "initial_state": initial_state,
        "tau_ms": _number_or_name(tau_ms),
        "form": form,
        "highest_rate": highest_rate,
        "orientation": orientation,
        "reset": reset,
        "threshold": threshold,
        "recurrent_start": recurrent_start,
    }
    cut: dict[str, Any] = {"trial_s": trial_s, "window_s": window_s(window)}
    if _is_recording(file, from_):
        for_networks = {"--out-lif": out_lif, "--task": task, **_as_given(told)}
        _refuse(for_networks, file, "a recording", "rate networks")
        _import_recording(file, out, {**cut, "dt_ms": dt_ms, "format": from_}, force=force)
        return
    _refuse(_as_given(cut), file, "a network", "recordings")
    told |= {"dt_ms": dt_ms}
    options = {name: value for name, value in told.items() if value is not None}
    if task is not None and task != "none":
        bridge.task(task)
    if task is not None:
        options["task"] = "" if task == "none" else task
    with terminal.waiting("reading it"):
        imported = bridge.import_network(file, format=from_, **options)
    from bridge.exchange.formats import ImportedGraph

    if isinstance(imported, ImportedGraph):
        _refuse({"--out-lif": out_lif}, file, "a spiking network", "rate networks")
        _save_graph(imported, out, force=force)
        return
    if imported.task_doubt:
        raise SpecError(
            f"{file}: its task is not certain (input channels: {imported.rate.input_size}), since "
            f"{imported.task_doubt}; give --task NAME or --task none"
        )
    if out_lif is not None and out_lif.resolve() == out.resolve():
        raise SpecError(f"{out}: --out and --out-lif name the same file")
    _save(imported, out, out_lif, force=force)
    for note in imported.notes:
        terminal.warn(note)


@app.command(
    epilog=example(
        "spikebridge export results/rate.h5 --to matlab --out model.mat",
        "spikebridge export results/lif.h5 --to matlab --out model.mat",
        "spikebridge export results/lif.h5 --to nir --out model.nir",
        "spikebridge export results/brian2.h5 --to nwb --out brian2.nwb",
        "spikebridge export results/brian2.h5 --to sonata --out spikes.h5",
    )
)
def export(
    network: Annotated[
        Path,
        typer.Argument(help="A file of `train`, `import`, `convert` or `run`.", show_default=False),
    ],
    out: Annotated[Path, typer.Option(help="Where the file goes.", show_default=False)],
    to: Annotated[
        str | None, typer.Option(help=_WRITTEN, show_default="by the ending of --out")
    ] = None,
    force: Force = False,
    task_file: TaskFile = None,
) -> None:
    """Write a network, or a recording, for another tool."""
    from bridge.exchange.recordings import NAMES, export_recording

    stored = bridge.load(network)
    if not isinstance(stored, bridge.Recording) and to in NAMES:
        raise SpecError(f"{network}: the format {to} is for recordings; `run` makes one")
    with terminal.waiting("writing it"):
        if isinstance(stored, bridge.Recording):
            notes = export_recording(stored, out, to=to, force=force)
        else:
            notes = bridge.export_network(stored, out, to=to, force=force)
    terminal.say(f"{out}: written from {network}")
    for note in notes:
        terminal.warn(note)


def _is_recording(file: Path, from_: str | None) -> bool:
    """Whether a file is to be read as one: what `--from` says, its ending, or its content."""
    from bridge.exchange.files import check_file
    from bridge.exchange.foreign import is_hdf5
    from bridge.exchange.formats import RECORDED
    from bridge.exchange.recordings import NAMES

    if from_ is not None:
        return from_ in NAMES
    check_file(file)
    suffix = file.suffix.lower()
    return suffix in RECORDED or (suffix not in _networks() and is_hdf5(file))


def _networks() -> set[str]:
    """Endings of files that hold networks."""
    from bridge.exchange import formats

    return {formats.load_format(name).SUFFIX for name in formats.NAMES}


def _as_given(options: Mapping[str, object]) -> dict[str, object]:
    """Arguments under the names of their options."""
    return {f"--{name.replace('_', '-')}": value for name, value in options.items()}


def _number_or_name(given: str | None) -> float | str | None:
    """A number where it is one, else a name."""
    try:
        return None if given is None else float(given)
    except ValueError:
        return given


def _refuse(options: Mapping[str, object], file: Path, this: str, those: str) -> None:
    """Raise SpecError where an option is given that is for files of another kind."""
    given = [name for name, value in options.items() if value is not None and value is not False]
    if given:
        raise SpecError(
            f"{', '.join(given)}: for {those} only, and {file} is read as {this}; leave "
            f"{'it' if len(given) == 1 else 'them'} out"
        )


def _import_recording(file: Path, out: Path, options: dict[str, Any], *, force: bool) -> None:
    from bridge.exchange.recordings import load_recording

    with terminal.waiting("reading it"):
        recording = load_recording(file, **options)
    check_writable(out, force=force)
    bridge.save(recording, out, force=True)
    show_essentials(recording)
    terminal.say(f"{out}: recording of {recording.spikes.n_trials} trials")
    told = recording.provenance
    if "time_step" in told:
        terminal.say(f"trials: {told['trials']}; time step: {told['time_step']}")
    outside = recording.provenance.get("spikes_outside_trials", 0)
    if outside:
        where = "what is taken of no trial" if "window" in told else "no trial"
        terminal.warn(f"{outside:,} spikes lie in {where} and were left out")
    if told.get("notes"):
        terminal.warn(told["notes"])


def _save_graph(imported: "ImportedGraph", out: Path, *, force: bool) -> None:
    from bridge.spiking.essentials import several

    check_writable(out, force=force)
    bridge.save(imported.network, out, force=True)
    show_essentials(imported.network)
    for what, how in imported.assumed.items():
        terminal.say(f"{what}: {how}")
    terminal.say(f"{out}: spiking network of {several(imported.network.size, 'neuron')}")
    for note in imported.notes:
        terminal.warn(note)


def _save(imported: "Imported", out: Path, out_lif: Path | None, *, force: bool) -> None:
    spiking = None if out_lif is None else imported.spiking()
    for path in (out, out_lif):
        if path is not None:
            check_writable(path, force=force)
    bridge.save(imported.rate, out, force=True)
    show_essentials(imported.rate)
    terminal.say(f"{out}: rate network of {imported.rate.size} units")
    if spiking is not None and out_lif is not None:
        bridge.save(spiking, out_lif, force=True)
        terminal.say(f"{out_lif}: spiking network at 1/lambda = {imported.inverse_scale:g}")
    elif imported.inverse_scale is not None:
        terminal.say(
            f"its file holds a chosen 1/lambda of {imported.inverse_scale:g}: --out-lif FILE makes "
            "the spiking network with it"
        )
