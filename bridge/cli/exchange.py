"""`spikebridge import` and `spikebridge export`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import bridge
from bridge import terminal
from bridge.cli.app import Force, TaskFile, TimeStep, TrialLength, app, example
from bridge.errors import SpecError
from bridge.stages import check_writable

if TYPE_CHECKING:
    from bridge.exchange.formats import Imported

_FORMAT = "Its format: matlab; of a recording: nwb or sonata."
_RECORDINGS = (".nwb", ".h5", ".hdf5")


@app.command(
    "import",
    epilog=example(
        "spikebridge import model.mat --out results/rate.h5 --task go-nogo",
        "spikebridge import model.mat --out results/rate.h5 --task xor --relu",
        "spikebridge import model.mat --out results/rate.h5 --out-lif results/lif.h5",
        "spikebridge import session.nwb --out results/recording.h5",
        "spikebridge import spikes.h5 --from sonata --trial-s 1.0 --out results/recording.h5",
    ),
)
def import_(
    file: Annotated[
        Path,
        typer.Argument(help="A network or a recording of another tool.", show_default=False),
    ],
    out: Annotated[
        Path,
        typer.Option(help="Where the rate network, or the recording, goes.", show_default=False),
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
            show_default="the one that name and inputs of the file agree on",
        ),
    ] = None,
    activation: Annotated[
        str | None,
        typer.Option(help="sigmoid, softplus or relu.", show_default="what the file says"),
    ] = None,
    relu: Annotated[
        bool, typer.Option("--relu", help="Set negative raw weights to zero, as training did.")
    ] = False,
    from_: Annotated[
        str | None, typer.Option("--from", help=_FORMAT, show_default="by the file's ending")
    ] = None,
    trial_s: TrialLength = None,
    dt_ms: TimeStep = None,
    force: Force = False,
    task_file: TaskFile = None,
) -> None:
    """Read a rate network, or a recording, that another tool has made."""
    if from_ in ("nwb", "sonata") or (from_ is None and file.suffix.lower() in _RECORDINGS):
        _import_recording(file, out, trial_s, dt_ms, force=force)
        return
    options: dict[str, Any] = {"task": task, "activation": activation, "relu": relu}
    if task == "none":
        options["task"] = ""
    elif task is not None:
        bridge.task(task)
    imported = bridge.import_network(file, format=from_, **options)
    if task != "none":
        _check_task(file, imported.rate)
    if out_lif is not None and out_lif.resolve() == out.resolve():
        raise SpecError(f"{out}: --out and --out-lif name the same file")
    _save(imported, out, out_lif, force=force)
    for note in imported.notes:
        terminal.warn(note)


@app.command(
    epilog=example(
        "spikebridge export results/rate.h5 --to matlab --out model.mat",
        "spikebridge export results/lif.h5 --to matlab --out model.mat",
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
        str | None, typer.Option(help=_FORMAT, show_default="by the ending of --out")
    ] = None,
    force: Force = False,
    task_file: TaskFile = None,
) -> None:
    """Write a network, or a recording, for another tool."""
    from bridge.exchange.recordings import NAMES, export_recording

    stored = bridge.load(network)
    if isinstance(stored, bridge.Recording):
        notes = export_recording(stored, out, to=to, force=force)
    elif to in NAMES:
        raise SpecError(f"{network}: the format {to} is for recordings; `run` makes one")
    else:
        notes = bridge.export_network(stored, out, to=to, force=force)
    terminal.say(f"{out}: written from {network}")
    for note in notes:
        terminal.warn(note)


def _import_recording(
    file: Path, out: Path, trial_s: float | None, dt_ms: float | None, *, force: bool
) -> None:
    from bridge.describe import describe
    from bridge.exchange.recordings import load_recording

    recording = load_recording(file, trial_s=trial_s, dt_ms=dt_ms)
    check_writable(out, force=force)
    bridge.save(recording, out, force=True)
    terminal.show_table(*describe(recording))
    terminal.say(f"{out}: recording of {recording.spikes.n_trials} trials")
    told = recording.provenance
    if "time_step" in told:
        terminal.say(f"trials: {told['trials']}; time step: {told['time_step']}")
    outside = recording.provenance.get("spikes_outside_trials", 0)
    if outside:
        terminal.warn(f"{outside:,} spikes lie in no trial and were left out")


def _check_task(file: Path, rate: "bridge.RateNetwork") -> None:
    """Raise SpecError unless the network names a task and has its inputs and outputs."""
    if not rate.task:
        raise SpecError(
            f"{file}: its task is not certain (input channels: {rate.input_size}); give "
            "--task NAME or --task none"
        )
    task = bridge.task(rate.task)
    wanted, got = (task.input_size, task.output_size), (rate.input_size, len(rate.w_out))
    if wanted != got:
        raise SpecError(
            f"{file}: the task {rate.task} has {wanted[0]} inputs and {wanted[1]} outputs, this "
            f"network has {got[0]} and {got[1]}"
        )


def _save(imported: "Imported", out: Path, out_lif: Path | None, *, force: bool) -> None:
    from bridge.describe import describe

    spiking = None if out_lif is None else imported.spiking()
    for path in (out, out_lif):
        if path is not None:
            check_writable(path, force=force)
    bridge.save(imported.rate, out, force=True)
    terminal.show_table(*describe(imported.rate))
    terminal.say(f"{out}: rate network of {imported.rate.size} units")
    if spiking is not None and out_lif is not None:
        bridge.save(spiking, out_lif, force=True)
        terminal.say(f"{out_lif}: spiking network at 1/lambda = {imported.inverse_scale:g}")
    elif imported.inverse_scale is not None:
        terminal.say(
            f"its file holds a chosen 1/lambda of {imported.inverse_scale:g}: --out-lif FILE makes "
            "the spiking network with it"
        )
