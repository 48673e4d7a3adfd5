"""Tasks that give numbers: scored, converted, compared, kept in files."""

import dataclasses
import json

import h5py
import numpy as np
import pytest
from methods.wave_task import drawn, rate_network, wave_task
from scipy.io import loadmat

import bridge
from bridge.describe import describe
from bridge.errors import FormatError, SpecError
from bridge.exchange.hdf5 import read_tree, write_tree
from bridge.exchange.store import format_version
from bridge.methods.measured import Measured
from bridge.methods.scale_search import ScaleSearch
from bridge.methods.scoring import SCORE, task_drive
from bridge.search_tables import search_table
from bridge.tasks import names

GRID = [2.0, 10.0, 30.0]
FEW = {"trials": 5, "backend": "compiled"}


@pytest.fixture
def wave():
    """A task that gives numbers and does not say what is right."""
    return bridge.register_task(wave_task())


@pytest.fixture(scope="module")
def _converted_once():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(names, "_own", dict(names._own))
        bridge.register_task(wave_task())
        return bridge.convert(rate_network(), inverse_scales=GRID, seed=2, **FEW)


@pytest.fixture
def converted(wave, _converted_once):
    return _converted_once


def numbers_of(outputs, trials):
    """The nMSE of each trial, by the formula."""
    shares = [
        np.sum((outputs[:, n] - trials.targets[:, n]) ** 2) / np.sum(trials.targets[:, n] ** 2)
        for n in range(outputs.shape[1])
    ]
    return np.array(shares)


def expected(network, trials, seed, use=(0, 1)):
    made, drive = task_drive(network, trials, seed, use)
    return numbers_of(bridge.simulate(network, drive).readouts["output"], made)


def test_a_score_holds_median_and_range_and_no_accuracy(converted):
    found = bridge.score(converted.network, trials=4, seed=1, backend="reference")
    numbers = expected(converted.network, 4, 1, SCORE)
    assert (found.correct, found.trials) == (None, 4)
    assert found.measured.median == pytest.approx(np.median(numbers), rel=1e-12)
    assert found.measured.lowest == pytest.approx(numbers.min(), rel=1e-12)
    assert found.measured.highest == pytest.approx(numbers.max(), rel=1e-12)
    with pytest.raises(SpecError, match="its task does not say which trials are right"):
        _ = found.accuracy


@pytest.mark.parametrize("better", ["lower", "higher"])
def test_without_right_and_wrong_the_best_median_chooses_the_scale_factor(better):
    measure = dataclasses.replace(bridge.nmse(), name="E", better=better)
    bridge.register_task(wave_task(measure=measure))
    search = bridge.convert(rate_network(), inverse_scales=GRID, seed=2, **FEW).search
    medians = []
    for scale in GRID:
        network = bridge.map_one_to_one(rate_network(), scale)
        medians.append(np.median(expected(network, 5, 2)))
    found = [each.median for each in search.measured]
    np.testing.assert_allclose(found, medians, rtol=1e-12)
    # They differ, so that there is something to choose.
    assert len(set(np.round(medians, 6))) == 3
    best = np.argmin if better == "lower" else np.argmax
    assert (search.best, search.rule) == (best(medians), "score")
    assert search.correct is search.lost is search.gained is search.chance is None
    assert search.output_error is not None


def test_by_the_number_more_scale_factors_are_tried_around_the_choice(wave):
    search = bridge.convert(rate_network(), **FEW | {"trials": 2}).search
    medians = [each.median for each in search.measured]
    assert medians[search.best] == min(medians)
    assert np.all(np.asarray(search.tested) == 2)
    assert len(search.inverse_scales) >= 14


def test_a_bound_makes_right_and_wrong_of_a_number():
    bridge.register_task(wave_task())
    network = bridge.map_one_to_one(rate_network(), 10.0)
    numbers = expected(network, 5, 2)
    bound = float(np.sort(numbers)[2])
    bridge.register_task(wave_task(measure=bridge.nmse(bound=bound)))
    search = bridge.convert(rate_network(), inverse_scales=[10.0], seed=2, **FEW).search
    assert search.correct.tolist() == [3]
    assert (search.rule, search.measured[0].median) == ("faithful", pytest.approx(bound))


@pytest.mark.parametrize(
    ("task", "rule", "message"),
    [
        (wave_task(), "accuracy", "which the rule 'accuracy' needs; give its measure a bound"),
        (wave_task(), "faithful", "which the rule 'faithful' needs; give its measure a bound"),
        (
            wave_task(measure=None, correct=lambda outputs, _: outputs[0, :, 0] > 0),
            "score",
            "rule: 'score' goes by the task's number, and task 'wave' gives none",
        ),
    ],
)
def test_a_rule_that_the_task_gives_nothing_for_is_refused(task, rule, message):
    bridge.register_task(task)
    with pytest.raises(SpecError, match=message):
        bridge.convert(rate_network(), inverse_scales=GRID, rule=rule, **FEW)


def test_training_needs_right_and_wrong_and_a_bound_gives_it():
    small = {"units": 6, "batch": 4, "evaluation_trials": 4, "max_updates": 2}
    bridge.register_task(wave_task())
    message = "training, which ends by accuracy, needs; give its measure a bound up to which"
    with pytest.raises(SpecError, match=message):
        bridge.train("wave", **small)
    bridge.register_task(wave_task(measure=bridge.nmse(bound=1e9)))
    assert bridge.train("wave", **small).history.accuracy.tolist() == [1.0]


def test_a_conversion_without_right_and_wrong_is_neither_kept_nor_failed(converted):
    found = converted.faithfulness()
    assert (found.judged, found.failed, found.p, found.rate_correct) == (False, False, None, None)
    assert found.accuracies() == ""
    assert "median nMSE" in found.measures()
    assert "its rate network's" in found.measures()
    assert "the task gives a number (nMSE) and no bound" in found.not_judged()
    # The rate network with its noise, in the trials of the search.
    made = drawn(5, np.random.default_rng((2, 0)))
    noisy, _ = converted.rate.run(made.inputs, np.random.default_rng((2, 2)))
    assert found.rate_measured.median == pytest.approx(np.median(numbers_of(noisy, made)))


def test_a_refit_says_what_the_number_was_before_and_after(wave):
    made = bridge.convert(rate_network(), inverse_scales=[10.0], refit_readout=True, **FEW)
    numbers = expected(made.network, 5, 0, SCORE)
    kept = made.network.provenance
    assert kept["fresh_measured"]["median"] == pytest.approx(np.median(numbers), rel=1e-12)
    assert kept["fresh_measured_before"]["median"] > kept["fresh_measured"]["median"]
    assert "fresh_correct" not in kept
    assert made.refitted
    assert made.faithfulness().measured == Measured.read(kept["fresh_measured"])


def test_a_file_keeps_the_numbers_of_a_search(converted, tmp_path):
    back = bridge.load(bridge.save(converted, tmp_path / "wave.h5")).search
    assert back.measured == converted.search.measured
    assert back.rate_measured == converted.search.rate_measured
    assert back.correct is None
    assert format_version(converted) == 5
    with h5py.File(tmp_path / "wave.h5") as file:
        group = file["search/measured"]
        assert dict(group.attrs) == {"name": "nMSE", "unit": "", "better": "lower"}
        assert group["median"][()].tolist() == [each.median for each in back.measured]
        assert file.attrs["format_version"] == 5


def test_a_search_without_numbers_is_written_as_before():
    old = bridge.load("tests/backends/frozen/lif.h5")
    assert format_version(old) == 1


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("median", np.array([1.0, 2.0]), "median, lowest and highest must be as many numbers"),
        ("median", np.array([1.0, np.nan, 2.0]), "measured/median"),
        ("median", np.full(3, 1e9), "expected the median between the lowest and"),
        ("lowest", np.zeros((3, 1)), "measured/lowest"),
        ("better", "more", "better must be 'lower' or 'higher', got 'more'"),
        ("name", "", "measure: name must be text"),
        ("rate", np.zeros(2), "measured/rate"),
        ("extra", np.zeros(2), "holds search/measured/extra, which no conversion file holds so"),
    ],
)
def test_numbers_in_a_file_that_make_no_sense_are_refused(
    converted, tmp_path, part, value, message
):
    path = bridge.save(converted, tmp_path / "wave.h5")
    tree = read_tree(path)
    tree["search"]["measured"][part] = value
    write_tree(tmp_path / "wrong.h5", tree, overwrite=False)
    with pytest.raises(FormatError, match=message):
        bridge.load(tmp_path / "wrong.h5")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"measured": None}, "correct: only a search by the rule 'score' may lack it"),
        ({"rule": "accuracy"}, "correct: only a search by the rule 'score' may lack it"),
        ({"lost": [0, 0, 0]}, "they are of right answers"),
        ({"chance": 0.5}, "they are of right answers"),
        ({"correct": [1, 1, 1], "measured": None}, "a search by a number holds it for each"),
    ],
)
def test_a_search_whose_parts_do_not_fit_is_refused(converted, fields, message):
    given = {**vars(converted.search), **fields}
    with pytest.raises(SpecError, match=message):
        ScaleSearch(**given)
    measured = converted.search.measured
    with pytest.raises(SpecError, match="expected one for each of 3 scale factors, got 2"):
        dataclasses.replace(converted.search, measured=measured[:2])
    other = dataclasses.replace(measured[0], name="other")
    with pytest.raises(SpecError, match="expected numbers of one measure"):
        dataclasses.replace(converted.search, measured=(other, *measured[1:]))


def test_tables_and_pictures_show_numbers_in_place_of_accuracies(converted, tmp_path):
    table = search_table(converted.search)
    assert table.headers[:2] == ("1/lambda", "median nMSE")
    assert table.rows[0][1] == converted.search.measured[0].spread
    _, described = describe(converted)
    assert "accuracy there" not in described
    assert described["chosen 1/lambda"].endswith("by the rule score")
    found = bridge.compare(converted, backends=["reference", "compiled"], trials=3)
    page, machine, *_ = bridge.report(found, tmp_path / "page.html")
    said = page.read_text()
    assert "The task&#39;s number, median over trials," in said
    assert "reference does the task (wave) with median nMSE" in said
    plain = json.loads(machine.read_text())
    assert plain["faithfulness"]["correct"] is plain["faithfulness"]["p"] is None
    assert plain["faithfulness"]["measured"]["name"] == "nMSE"
    numbers = expected(converted.network, 3, 0)
    table = plain["statistics"]
    for part, value in (("median", np.median(numbers)), ("highest", numbers.max())):
        shown = table[f"nMSE: {part}"]
        assert shown["reference"] == shown["compiled"] == value
    assert "accuracy (%)" not in table


TASK_FILE = """
import bridge
from methods.wave_task import wave_task

bridge.register_task(wave_task({}))
"""


def test_the_command_converts_runs_and_compares_by_a_number(command, tmp_path):
    tasks = tmp_path / "tasks.py"
    tasks.write_text(TASK_FILE.format(""))
    own, few = ("--task-file", tasks), ("--trials", 3, "--backend", "compiled")
    rate = bridge.save(rate_network(), tmp_path / "rate.h5")
    lif, run = tmp_path / "lif.h5", tmp_path / "run.h5"
    done = command("convert", rate, "--out", lif, "--inverse-scales", "10,30", *few, *own)
    assert done.status == 0, done.err
    said = " ".join((done.out + done.err).split())
    assert "spiking network at 1/lambda = " in said
    assert "median nMSE" in said
    assert "no bound up to which a trial counts as right" in said
    done = command("run", lif, "--out", run, *few, *own)
    numbers = expected(bridge.load(lif).network, 3, 0)
    told = f"{np.median(numbers):.3g} ({numbers.min():.3g} to {numbers.max():.3g})"
    assert f"recording of 3 trials, median nMSE {told}" in " ".join(done.out.split())
    kept = bridge.load(run).provenance["measured"]
    assert kept["median"] == pytest.approx(np.median(numbers))
    assert f"median nMSE {told}" in " ".join(command("info", run).out.split())
    done = command(
        "compare", lif, "--out", tmp_path / "page.html", "--trials", 2, "--backends",
        "reference,compiled", *own,
    )  # fmt: skip
    assert done.status == 0, done.err
    assert "does the task (wave) with median nMSE" in " ".join(done.out.split())


def test_beside_right_and_wrong_the_number_is_said_too(command, tmp_path):
    tasks = tmp_path / "tasks.py"
    tasks.write_text(TASK_FILE.format("measure=bridge.nmse(bound=1e9)"))
    lif = bridge.save(bridge.map_one_to_one(rate_network(), 10.0), tmp_path / "lif.h5")
    words = ("--trials", 2, "--backend", "reference", "--task-file", tasks)
    done = command("run", lif, "--out", tmp_path / "run.h5", *words)
    assert "recording of 2 trials, 100% right, median nMSE" in " ".join(done.out.split())


SEARCHED = {"opt_scaling_factor", "all_perfs", "scaling_factors"}


def test_matlab_files_have_a_place_for_accuracies_alone(converted, tmp_path):
    bridge.export_network(converted, tmp_path / "wave.mat")
    assert SEARCHED & set(loadmat(tmp_path / "wave.mat")) == {"opt_scaling_factor"}
