"""What a network is driven with, where that is not trials of its task."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import bridge
from bridge.errors import SpecError

if TYPE_CHECKING:
    from bridge.rate.network import RateNetwork
    from bridge.spiking.network import SpikingNetwork

DEFAULT_TRIALS = 20
_DEFAULT_SECONDS = 1.0

DriveFile = Annotated[
    Path | None,
    typer.Option(
        "--drive",
        metavar="FILE",
        help="Take the inputs from a file instead of the network's task: a drive of ours, NWB, "
        ".npz or .csv. NWB: a time series, or spike times of units. .npz: inputs (samples, trials, "
        "channels). .csv: rows are samples, columns channels; also trial, time_s, condition. "
        "Spikes (unit, time in s, trial) become counts: the value of a sample is the number of "
        "spikes in it. Several inputs are found by their names: .npz light, touch_unit, "
        "touch_time; .csv columns light_0, or a column input; NWB series and populations. An input "
        "that emits spikes gets them as events.",
        show_default="the task",
    ),
]
Series = Annotated[
    str | None,
    typer.Option(
        help="NWB: which time series is the input, or `units`.", show_default="the only one"
    ),
]
Poisson = Annotated[
    float | None,
    typer.Option(
        "--poisson",
        metavar="HZ",
        help="Drive every input channel, and every unit of an input that takes spikes, with a "
        "Poisson train of its own, counted in the same way.",
        show_default=False,
    ),
]
Regular = Annotated[
    float | None,
    typer.Option(
        "--regular",
        metavar="HZ",
        help="Drive every input channel and unit with a regular train from the start of the trial "
        "on.",
        show_default=False,
    ),
]
Seconds = Annotated[
    float | None,
    typer.Option(
        help="Length of a trial of --poisson, --regular or a file of spikes, s.",
        show_default=f"{_DEFAULT_SECONDS:g}; of a file to its last spike",
    ),
]
TRIALS = (
    "Trials of the network's task, or of --poisson and --regular; a --drive of one trial is "
    "repeated as often"
)


# Each argument is an option of the command.
def drive_given(
    network: "SpikingNetwork | RateNetwork",
    *,
    drive: Path | None,
    poisson: float | None = None,
    regular: float | None = None,
    seconds: float | None,
    series: str | None,
    trials: int | None,
    seed: int | None,
    task_file: list[Path] | None,
) -> "bridge.Drive | None":
    """What a network is driven with; None: trials of its task.

    A rate network takes what any spiking network that stands for it does.

    Raises:
        SpecError: options exclude each other, or do not fit the network.
        FormatError: the file holds no drive for this network.
    """
    sources = {"--drive": drive, "--poisson": poisson, "--regular": regular}
    given = [name for name, value in sources.items() if value is not None]
    _check_together(given, {"--seconds": seconds, "--series": series, "--task-file": task_file})
    if isinstance(network, bridge.RateNetwork):
        network = _with_its_inputs(network)
    if drive is not None:
        return bridge.load_drive(
            drive, network, seed=seed, trials=trials, seconds=seconds, series=series
        )
    if not given:
        return None
    make = bridge.regular_drive if poisson is None else bridge.poisson_drive
    return make(
        network,
        (regular if poisson is None else poisson) or 0.0,
        seconds=_DEFAULT_SECONDS if seconds is None else seconds,
        trials=DEFAULT_TRIALS if trials is None else trials,
        seed=seed or 0,
    )


def _with_its_inputs(rate: "RateNetwork") -> "SpikingNetwork":
    """A network of one unit that takes a rate network's channels in its steps."""
    from bridge.spiking.initial_voltage import UniformVoltage
    from bridge.spiking.neurons.linear import Linear
    from bridge.spiking.population import Population

    start = UniformVoltage(low_mv=0.0, high_mv=0.0)
    unit = Population(name="unit", size=1, neurons=Linear(), initial_voltage=start)
    return bridge.SpikingNetwork(
        dt_ms=rate.dt_ms,
        populations=(unit,),
        projections=(),
        readouts=(),
        input_size=rate.input_size,
        sample_steps=1,
    )


def drive_told(
    drive: Path | None,
    poisson: float | None = None,
    regular: float | None = None,
    seconds: float | None = None,
) -> str:
    """The same in words, for a provenance."""
    if drive is not None:
        return drive.name
    length = _DEFAULT_SECONDS if seconds is None else seconds
    kind, rate_hz = ("regular", regular) if poisson is None else ("Poisson", poisson)
    return f"{kind} trains of {rate_hz:g} Hz for {length:g} s"


def _check_together(given: list[str], options: Mapping[str, object]) -> None:
    """Raise SpecError for options that exclude each other, or that nothing would use."""
    if len(given) > 1:
        raise SpecError(f"{' and '.join(given)}: give one of them")
    used = [name for name, value in options.items() if value not in (None, [])]
    if given and "--task-file" in used:
        raise SpecError(
            f"--task-file and {given[0]}: a network is shown trials of a task, or {given[0]}; give "
            "one of the two"
        )
    if "--seconds" in used and not given:
        raise SpecError("--seconds: for --poisson, --regular or a --drive of spikes")
    if "--series" in used and given != ["--drive"]:
        raise SpecError("--series: for a --drive in NWB")
