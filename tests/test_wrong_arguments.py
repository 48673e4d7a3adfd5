"""Every public function is given every public object at every parameter: all it says is sentences.

What can only be meant is taken. A bare AttributeError or TypeError tells a user nothing.
"""

import functools
import inspect
from pathlib import Path

import numpy as np
import pytest
import torch
from small_pictures import TASK, write_mnist

import bridge
from bridge.arguments import in_words
from bridge.compare.report import page
from bridge.errors import BridgeError, SpecError
from bridge.tasks import names

STEPS = 4
# As short as a fit of targets can be.
SHORT_FIT = {
    "settle_trials": 1, "component_trials": 1, "learn_trials": 1, "test_trials": 1
}  # fmt: skip


def drawn(count, _rng):
    """Trials of two conditions, one of them with a pulse."""
    labels = np.arange(count) % 2
    inputs = np.zeros((STEPS, count, 1))
    inputs[1:3, :, 0] = labels
    return bridge.Trials(inputs=inputs, targets=inputs + 0.5, labels=labels)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """One of each public object, small, and their files."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(names, "_own", {})
        task = bridge.FunctionTask(
            name="tiny", step_ms=5.0, steps=STEPS, input_size=1, output_size=1,
            conditions=("none", "pulse"), draw=drawn,
            correct=lambda outputs, _trials: outputs[-1, :, 0] > 0,
        )  # fmt: skip
        bridge.register_task(task)
        rate = bridge.train("tiny", units=6, max_updates=1, batch=4, evaluation_trials=4)
        conversion = bridge.convert(rate, trials=2, backend="reference", inverse_scales=[30.0])
        trials = task.trials(2, np.random.default_rng(0))
        drive = bridge.Drive(inputs=trials.inputs, noise=bridge.SharedNoise(seed=1))
        bridge.save(conversion, "lif.h5")
        bridge.export_network(rate, "model.mat")
        Path("task.py").write_text("")
        write_mnist(Path("pictures"), training=10)
        patch.setenv("SPIKEBRIDGE_DATA", "pictures")
        Path("drive.csv").write_text("unit,time\n0,0.01\n")
        np.save("targets.npy", np.ones((2, 5, 1)))
        yield {
            "rate network": rate,
            "fit": bridge.fit_targets(
                "four-sines", units=6, teacher_units=4, **SHORT_FIT, progress=False
            ),
            "network": conversion.network,
            "conversion": conversion,
            "imported": bridge.import_network("model.mat", task=""),
            "drive": drive,
            "recording": bridge.simulate(conversion.network, drive),
            "agreement": bridge.compare(
                conversion, backends=["reference"] * 2, inject="weights-0.98", trials=1
            ),
            "task": task,
            "trials": trials,
            "noise": drive.noise,
            "search": conversion.search,
            "class": bridge.SpikingNetwork,
            "None": None,
            "path": "lif.h5",
            "no path": "a\0b",
            "number": 3.5,
            "huge number": 10**30,
            "True": True,
            "array": trials.inputs,
            "list": [rate],
            "mapping": {"a": 1},
        }


# What each function needs besides the argument that is tried, by name of what `made` holds.
SMALL = {"trials": 1, "backend": "reference"}
TRAINS = {"rate_hz": 10.0, "seconds": 0.1, "trials": 1}
SHORT = {"units": 6, "max_updates": 1, "batch": 4, "evaluation_trials": 4}
WEIGHTS = ("u", "u_a", "u_c", "w_a", "w_c")
CALLS = {
    "simulate": ({"network": "network", "drive": "drive"}, {"backend": "reference"}),
    "compare": (
        {"what": "conversion"},
        {"backends": ["reference"] * 2, "inject": "weights-0.98", "trials": 1},
    ),
    "compare_recordings": ({"one": "recording", "other": "recording"}, {}),
    "convert": ({"rate": "rate network"}, {**SMALL, "inverse_scales": [30.0]}),
    "convert_each": ({"rate": "rate network"}, {**SMALL, "neurons": ["if"], "gain_hz": 50.0}),
    "score": ({"network": "network"}, SMALL),
    "refit_readout": ({"network": "network"}, {**SMALL, "trials": 5}),
    "fit_rate_units": ({"task": "task"}, {"units": 4}),
    "fit_targets": ({"task": "task"}, {"units": 6, "teacher_units": 4, **SHORT_FIT}),
    "lesion": ({"network": "network"}, {"units": [1]}),
    "map_integrate_and_fire": ({"rate": "rate network"}, {"gain_hz": 50.0}),
    "map_one_to_one": ({"rate": "rate network"}, {"inverse_scale": 30.0}),
    "nbrc_network": ({}, {**{name: [[1.0]] for name in WEIGHTS}, "dt_ms": 1.0}),
    "train": ({"task": "task"}, {**SHORT, "seed": 1}),
    "train_src": ({}, {"task": TASK, "layers": 10, "epochs": 1}),
    "with_dales_law": ({"fit": "fit"}, {"trials": 1, "test_trials": 1}),
    "variance_explained": ({"fit": "fit"}, {"trials": 1}),
    "train_many": ({"task": "task"}, {**SHORT, "seeds": [0]}),
    "task": ({}, {"name": "xor"}),
    "nmse": ({}, {"bound": 0.1}),
    "poisson_drive": ({"network": "network"}, TRAINS),
    "regular_drive": ({"network": "network"}, TRAINS),
    "random_weights": (
        {},
        {"post": 3, "pre": 4, "probability": 0.5, "weight_mv": 1.0, "seed": 0},
    ),
    "register_task": ({"task": "task"}, {}),
    "load": ({}, {"path": "lif.h5"}),
    "load_drive": ({"network": "network"}, {"path": "drive.csv"}),
    "load_recording": ({}, {"path": "lif.h5"}),
    "load_targets": ({}, {"path": "targets.npy", "name": "reach", "step_ms": 5.0}),
    "load_task_file": ({}, {"path": "task.py"}),
    "from_torch": ({}, {"module": torch.nn.RNN(2, 5), "dt_ms": 10.0}),
    "import_network": ({}, {"path": "model.mat", "task": ""}),
    "save": ({"thing": "rate network"}, {"path": "new.h5", "force": True}),
    "export_network": ({"thing": "rate network"}, {"path": "new.mat", "force": True}),
    "export_recording": ({"recording": "recording"}, {"path": "new", "to": "sonata"}),
    "report": ({"found": "agreement"}, {"path": "new.html", "force": True}),
}
# Options that hide behind `**options`.
OPTIONS = {
    "simulate": ("voltages", "margins", "target", "workers", "no_such_option"),
    "convert": (
        "trials", "seed", "backend", "device", "exhaustive", "inverse_scales", "neuron",
        "synapse", "tau_side", "refractory_ms", "start_mv", "no_such_option",
    ),
    "convert_each": ("gain_hz", "trials", "refit_readout", "no_such_option"),
    "score": ("dtype", "no_such_option"),
    "fit_rate_units": ("units", "variance_kept", "no_such_option"),
    "fit_targets": ("units", "teacher", "factored", "variance_kept", "no_such_option"),
    "with_dales_law": ("connected", "trials", "ridge", "no_such_option"),
    "lesion": ("cell_type",),
    "from_torch": ("task", "excitatory", "cell_types", "no_such_option"),
    "import_network": ("task", "activation", "relu", "no_such_option"),
    "train": ("units", "no_such_option"),
    "train_src": ("layers", "epochs", "gate", "learning_rate", "no_such_option"),
}  # fmt: skip


def test_every_public_function_is_tried():
    public = {name for name in bridge.__all__ if inspect.isfunction(getattr(bridge, name))}
    assert public == set(CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_whatever_is_given_is_taken_or_refused_in_a_sentence(name, made, monkeypatch):
    # The pictures of one agreement are drawn once.
    monkeypatch.setattr(page, "pictures_of", functools.cache(page.pictures_of))
    function, (objects, values) = getattr(bridge, name), CALLS[name]
    needed = {**{key: made[what] for key, what in objects.items()}, **values}
    parameters = inspect.signature(function).parameters.values()
    tried = [each.name for each in parameters if each.kind is not each.VAR_KEYWORD]
    bare = []
    for argument in (*tried, *OPTIONS.get(name, ())):
        for what, thing in made.items():
            given = {**needed, argument: thing}
            if argument == "cell_type":
                given["units"] = None
            try:
                function(**given)
            except BridgeError as error:
                if len(str(error).splitlines()) != 1:
                    bare.append(f"{argument}={what}: several lines: {error}")
            # A bare error of Python's is what is looked for.
            except Exception as error:
                bare.append(f"{argument}={what}: {type(error).__name__}: {error}")
    assert not bare, "\n".join(bare)


def same_spikes(one, other):
    assert one.spikes.count > 5
    return np.array_equal(one.spikes.codes(), other.spikes.codes())


def test_a_conversion_stands_for_its_spiking_network(made):
    conversion, drive = made["conversion"], made["drive"]
    assert same_spikes(bridge.simulate(conversion, drive), bridge.simulate(made["network"], drive))
    assert bridge.score(conversion, **SMALL) == bridge.score(made["network"], **SMALL)
    silenced = bridge.lesion(conversion, units=[0]).projections[0].synapses().toarray()
    assert not silenced[:, 0].any()
    assert isinstance(
        bridge.refit_readout(conversion, **CALLS["refit_readout"][1]), bridge.SpikingNetwork
    )


def test_a_conversion_stands_for_its_rate_network(made):
    again = bridge.convert(made["conversion"], **SMALL, inverse_scales=[30.0])
    assert again.rate is made["rate network"]
    mapped = bridge.map_one_to_one(made["conversion"], 30.0)
    assert np.array_equal(mapped.projections[1].weights, made["rate network"].w_in)
    longer = bridge.train("tiny", resume=made["conversion"], max_updates=2)
    assert longer.provenance["updates"] == 2


def test_what_was_imported_stands_for_its_rate_network(made):
    mapped = bridge.map_one_to_one(made["imported"], 30.0)
    assert np.array_equal(mapped.projections[1].weights, made["imported"].rate.w_in)
    bridge.save(made["imported"], "imported.h5")
    assert isinstance(bridge.load("imported.h5"), bridge.RateNetwork)


def test_what_compare_returned_stands_for_nothing_that_it_holds(made):
    # Of which of its networks would be meant?
    with pytest.raises(SpecError, match="expected a SpikingNetwork or a Conversion, got an Agree"):
        bridge.score(made["agreement"])


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda made: bridge.compare(made["rate network"]),
            "what: expected a Conversion or a SpikingNetwork, got a RateNetwork; bridge.convert "
            "makes one of a rate network",
        ),
        (lambda made: bridge.compare(made["recording"]), "compare_recordings.one, other. compares"),
        (lambda made: bridge.compare(made["network"], backends="brian2"), "expected a list"),
        (
            lambda made: bridge.simulate(made["network"], made["trials"]),
            r"drive: expected a Drive, got a Trials; bridge.Drive\(inputs=trials.inputs",
        ),
        (
            lambda made: bridge.simulate(made["network"], made["array"]),
            "drive: expected a Drive, got an array of shape .4, 2, 1.; bridge.Drive",
        ),
        (
            lambda made: bridge.simulate(made["rate network"], made["drive"]),
            "network: expected a SpikingNetwork or a Conversion, got a RateNetwork; bridge.convert",
        ),
        (
            lambda made: bridge.score("lif.h5"),
            "got the text 'lif.h5'; bridge.load.path. reads one from a file",
        ),
        (
            lambda made: bridge.compare_recordings("a.h5", "b.nwb"),
            "one: expected a Recording, got the text 'a.h5'; bridge.load_recording.path. reads",
        ),
        (lambda made: bridge.report(made["recording"], "x.html"), "or a TargetFit, got a R"),
        (
            lambda made: bridge.report(None, "x.html"),
            "; bridge.compare makes an Agreement, bridge.fit_targets makes a TargetFit$",
        ),
        (
            lambda made: bridge.report("x.h5", "x.html"),
            r"got the text 'x.h5'; bridge.load\(path\) reads a TargetFit from a file$",
        ),
        (lambda made: bridge.convert(None), "or a Conversion, got None; bridge.train makes one$"),
        (lambda made: bridge.save(None, "x.h5"), "or a Recording, got None$"),
        (lambda made: bridge.plot.target_fit(None), "got None; bridge.fit_targets makes one$"),
        (lambda made: bridge.save("x.h5", made["drive"]), "the path comes after what goes there"),
        (lambda made: bridge.report("x.html", made["agreement"]), "the path comes after what goes"),
        (lambda made: bridge.load(made["network"]), "path: expected the path of a file as text"),
        (lambda made: bridge.load(None), "path: expected the path of a file as text, got None"),
        (lambda made: bridge.task(made["network"]), "name: expected a name as text, got a Spiking"),
        (lambda made: bridge.register_task("x"), "str is not a task: it lacks name"),
        (lambda made: bridge.register_task(bridge.FunctionTask), "give an object of it, FunctionT"),
        (lambda made: bridge.lesion(made["network"], cell_type=""), "no units of the cell type ''"),
    ],
)  # fmt: skip
def test_what_fits_nowhere_is_named_with_what_is_wanted(call, sentence, made):
    with pytest.raises(SpecError, match=sentence):
        call(made)


def test_a_text_is_no_flag(made):
    # Python takes "no" for true: a file would be replaced.
    with pytest.raises(SpecError, match="force: expected True or False, got the text 'no'"):
        bridge.save(made["drive"], "lif.h5", force="no")


def test_whatever_is_given_is_named_in_few_words():
    assert in_words(10**400).endswith("...")
    # Python refuses to write it in tens.
    assert in_words(10**5000).endswith("...")
    assert in_words("a" * 1000) == f"the text '{'a' * 60}...'"
    assert in_words(Path("x.h5")) == "the path 'x.h5'"
    assert in_words(np.zeros((3, 4))) == "an array of shape (3, 4)"
    assert in_words(None) == "None"
