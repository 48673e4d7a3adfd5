"""The figures that can be run again, and what the paper reports for each."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from bridge.errors import SpecError
from bridge.methods.roads import NEURONS
from bridge.studies.study import OURS, Cell, Study, Variant

UNITS = 250
TAU_MS, _WIDE_MS = (20.0, 50.0), (20.0, 100.0)
GO_NOGO, CONTEXT = "go-nogo", "context"


def _cell(name: str, task: str, *, value: float | None = None, **training: Any) -> Cell:
    return Cell(name, task, {"units": UNITS, "tau_ms": TAU_MS, **training}, value)


def _tau_cells(task: str, longest_ms: tuple[float, ...]) -> tuple[Cell, ...]:
    return tuple(
        _cell(f"{ms:g} ms", task, value=ms, tau_ms=(min(20.0, ms), ms)) for ms in longest_ms
    )


_LONGEST_MS = (20.0, 50.0, 100.0, 250.0, 500.0, 1000.0)
_REFRACTORY_MS = (*(0.5 * n for n in range(11)), *(5.0 * n for n in range(2, 11)))
# The network's scale factor is that of 2 ms, as its search found it.
_REFRACTORY = (
    Variant("2 ms", 2.0, {"refractory_ms": 2.0}),
    *(
        Variant(f"{ms:g} ms", ms, {"refractory_ms": ms}, searched=False)
        for ms in _REFRACTORY_MS
        if ms != 2.0
    ),
)


def _with(cells: tuple[Cell, ...], variants: tuple[Variant, ...]) -> tuple[Cell, ...]:
    return tuple(Cell(c.name, c.task, c.training, c.value, variants) for c in cells)


_SOM = {"units": 200, "tau_ms": TAU_MS, "som": 20, "inhibitory": 0.33}
_OPTIONS = (
    Variant("searched"),
    Variant("every 10", None, {"inverse_scales": [float(n) for n in range(20, 71, 10)]}),
    Variant("every 2.5", None, {"inverse_scales": [20.0 + 2.5 * n for n in range(23)]}),
    Variant("start below threshold", None, {"start_mv": [-65.0, -40.0]}),
    Variant("start at reset", None, {"start_mv": [-65.0, -65.0]}),
    Variant("predicted", None, {"scale": "predicted"}),
    Variant("refitted", None, {"refit_readout": True}, searched=False),
    Variant("predicted, refitted", None, {"scale": "predicted", "refit_readout": True}),
)
_RULES = (Variant("faithful"), Variant("accuracy", None, {"rule": "accuracy"}))
_SIZES = (10, 30, 50, 100, 150, 200, 250, 300, 400)
_SIZED = tuple(_cell(f"{n} units", GO_NOGO, value=n, units=n) for n in _SIZES)
_BOTH = tuple(_cell(task, task) for task in (GO_NOGO, CONTEXT))
_CONTEXT = (_cell("context", CONTEXT),)

STUDIES: Mapping[str, Study] = MappingProxyType(
    {
        study.name: study
        for study in (
            Study(
                "1c",
                "Rate networks that reach their target, and number of units (Go-NoGo)",
                "units",
                10,
                _with(_SIZED, ()),
                {"10 units": "69 % train", "": "96 to 100 % right once trained"},
            ),
            Study(
                "2c",
                "Accuracy and number of units (Go-NoGo)",
                "units",
                10,
                _SIZED,
                {"50 units": "unreliable up to here", "250 units": "best"},
            ),
            Study(
                "2e",
                "Accuracy and the longest time constant (Go-NoGo)",
                "longest time constant (ms)",
                5,
                _tau_cells(GO_NOGO, _LONGEST_MS),
                {
                    "20 ms": "93.9 +- 7.8 %, 65 of 100 succeed",
                    "1000 ms": "robust up to here",
                },
            ),
            Study(
                "4de",
                "Accuracy and the longest time constant (context)",
                "longest time constant (ms)",
                5,
                _tau_cells(CONTEXT, _LONGEST_MS),
                {"50 ms": "98 %", "1000 ms": "robust up to here"},
            ),
            Study(
                "5",
                "Time constants trained, and fixed at 35 ms",
                "",
                5,
                tuple(
                    _cell(f"{task}, {name}", task, tau_ms=tau)
                    for task in (GO_NOGO, CONTEXT)
                    for name, tau in (("trained", TAU_MS), ("fixed", (35.0, 35.0)))
                ),
                {"": "fixed converts as well as trained"},
            ),
            Study(
                "6a",
                "Accuracy and the refractory period (context)",
                "refractory period (ms)",
                5,
                _with(_CONTEXT, _REFRACTORY),
                {"0 ms": "92.8 +- 14.3 %", "2 ms": "97.0 +- 6.6 %, best", "5 ms": "falls fast"},
            ),
            Study(
                "6b",
                "Synaptic filters: double and single exponential (context)",
                "",
                5,
                _with(
                    _CONTEXT,
                    (
                        Variant("double", None, {"synapse": "double"}),
                        Variant("single", None, {"synapse": "single"}),
                    ),
                ),
                {"double": "97.0 +- 6.6 %", "single": "95.7 +- 7.3 %"},
            ),
            Study(
                "6c",
                "Accuracy and the gain of the recurrent weights at the start (context)",
                "gain",
                5,
                tuple(
                    _cell(f"gain {gain:g}", CONTEXT, value=gain, gain=gain)
                    for gain in (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5)
                ),
                {"": "no significant difference"},
            ),
            Study(
                "7",
                "Success and the activation of the rate network (Go-NoGo)",
                "",
                30,
                tuple(
                    _cell(name, GO_NOGO, activation=name)
                    for name in ("sigmoid", "softplus", "relu")
                ),
                {
                    "sigmoid": "94 of 100 (98.8 +- 4.7 %)",
                    "softplus": "55 of 100 (88.3 +- 15.8 %)",
                    "relu": "0 of 100 (59.7 +- 9.5 %)",
                },
            ),
            Study(
                "s1",
                "Activity of the units of rate networks and of their LIF networks (Go-NoGo)",
                "",
                5,
                (_cell("go-nogo", GO_NOGO),),
                {"": "5 to 25 Hz"},
                "units",
            ),
            Study(
                "s2",
                "First three principal components of rate and LIF networks (Go-NoGo)",
                "",
                5,
                (_cell("go-nogo", GO_NOGO),),
                {"": "three components hold 99 % of the variance"},
                "components",
            ),
            Study(
                "s3",
                "Firing rates of PYR, PV and SOM units (Go-NoGo)",
                "",
                5,
                # The paper's network has 134 PYR, 46 PV and 20 SOM units.
                tuple(
                    Cell(name, GO_NOGO, _SOM, None, variants)
                    for name, variants in (
                        ("som", (Variant(),)),
                        ("som, 1/lambda 50", (Variant("", None, {"inverse_scales": [50.0]}),)),
                    )
                ),
                {"": "PYR 3-5, PV 9-11, SOM 25-27 Hz at 1/lambda = 50"},
                "units",
            ),
            Study(
                "s4",
                "Without Dale's law",
                "",
                5,
                tuple(_cell(task, task, dale=False) for task in (GO_NOGO, CONTEXT)),
                {"": "converts too, 1/lambda = 50"},
            ),
            Study(
                "s7",
                "Quadratic integrate-and-fire neurons (context)",
                "",
                5,
                _with(
                    _CONTEXT,
                    (Variant("lif"), Variant("qif", None, {"neuron": "qif"})),
                ),
                {"qif": "does the task"},
            ),
            Study(
                "tasks",
                "Every task, with time constants of 20 to 100 ms",
                "",
                5,
                tuple(
                    _cell(task, task, tau_ms=_WIDE_MS)
                    for task in (GO_NOGO, "xor", CONTEXT, "oscillation", "flip-flop")
                ),
                {"": "names the first four, and gives no number"},
            ),
            Study(
                "7-faithful",
                "Figure 7's networks with the scale factor by output error and by accuracy alone",
                "",
                30,
                _with((_cell("sigmoid", GO_NOGO, activation="sigmoid"),), _RULES),
                {"": "94 of 100 succeed by accuracy (98.8 +- 4.7 %)"},
                converting=OURS,
            ),
            Study(
                "quality",
                "What decides how well a Go-NoGo network converts",
                "",
                10,
                (
                    _cell("as it is", GO_NOGO),
                    *(
                        _cell(f"noise {sd:g}", GO_NOGO, training_noise_sd=sd)
                        for sd in (0.1, 0.2, 0.5)
                    ),
                    _cell("noise 0.1, batch 32", GO_NOGO, training_noise_sd=0.1, batch=32),
                    _cell("noise 0.1, tau 20-100", GO_NOGO, training_noise_sd=0.1, tau_ms=_WIDE_MS),
                    _cell("tau 20-100", GO_NOGO, tau_ms=_WIDE_MS),
                    _cell("batch 32", GO_NOGO, batch=32),
                    _cell("loss 2", GO_NOGO, target_loss=2.0),
                    _cell("loss 0.7", GO_NOGO, target_loss=0.7),
                    _cell("gain 0.8", GO_NOGO, gain=0.8),
                    _cell("original start", GO_NOGO, balanced=False),
                ),
                {"": "no figure of the paper"},
            ),
            Study(
                "options",
                "What scale grid, start and options of a conversion add (Go-NoGo)",
                "",
                5,
                _with(
                    (_cell("loss 0.7", GO_NOGO), _cell("loss 2", GO_NOGO, target_loss=2.0)),
                    _OPTIONS,
                ),
                {"": "no figure of the paper"},
            ),
        )
    }
)


def find(name: str, neuron: str | None = None) -> Study:
    """The study of a figure, such as "2C" or "fig4de", or "7-if": with other neurons.

    Args:
        name: Of the study.
        neuron: That all its networks get, under a name of its own; None: those of the study.

    Raises:
        SpecError: there is none of that name, or it varies what these neurons do not have.
    """
    key = name.lower().removeprefix("fig").strip(" .").replace("/", "")
    aliases = {"4d": "4de", "4e": "4de"}
    key = aliases.get(key, key)
    base, _, of = key.rpartition("-")
    if neuron is None and of in NEURONS:
        key, neuron = aliases.get(base, base), of
    if key not in STUDIES:
        raise SpecError(f"unknown study {name!r}; known are {', '.join(STUDIES)}")
    return STUDIES[key] if neuron is None else STUDIES[key].with_neuron(neuron)
