import numpy as np
import pytest
from methods.short_task import SHORT_TASK
from scipy import stats

import bridge
from bridge.errors import SpecError
from bridge.methods import unit_correlations as correlations
from bridge.methods.beside import RateAnswers, beside
from bridge.methods.chance import chance_level, told_from_chance
from bridge.methods.faithfulness import Faithfulness, refitted
from bridge.methods.one_to_one import map_one_to_one
from bridge.methods.output_error import output_error
from bridge.methods.paired import mcnemar
from bridge.methods.readout import filtered_spikes
from bridge.methods.scale_search import ScaleSearch
from bridge.methods.scoring import task_drive
from bridge.methods.unit_correlations import unit_correlations
from bridge.rate.network import RateNetwork
from bridge.tasks import Trials, go_nogo


def test_the_output_error_is_a_share_of_the_variation_of_the_wanted_output():
    wanted = np.random.default_rng(0).normal(3.0, 2.0, (50, 4, 2))
    assert output_error(wanted, wanted) == 0
    # The mean of each channel has the error 1, whatever the channels' offsets.
    means = np.broadcast_to(wanted.mean(axis=(0, 1)), wanted.shape)
    assert output_error(means, wanted) == pytest.approx(1.0)
    # Twice the swing about the mean is as far away as none.
    assert output_error(2 * wanted - means, wanted) == pytest.approx(1.0)
    shifted = output_error(wanted + 0.5, wanted)
    assert shifted == pytest.approx(0.25 / wanted.var(axis=(0, 1)).mean())
    assert np.isnan(output_error(wanted, np.ones((50, 4, 2))))


@pytest.mark.parametrize(("lost", "gained"), [(0, 0), (5, 0), (6, 0), (9, 1), (1, 9), (4, 4)])
def test_mcnemars_test_is_a_two_sided_sign_test_on_the_trials_that_differ(lost, gained):
    both = lost + gained
    expected = stats.binomtest(lost, both, 0.5).pvalue if both else 1.0
    assert mcnemar(lost, gained) == pytest.approx(expected)


def test_unit_correlations_are_pearsons_of_filtered_spikes_and_rates(monkeypatch):
    rng, trials = np.random.default_rng(1), 3
    rate = RateNetwork(
        recurrent=rng.normal(0, 20, (6, 6)), w_in=rng.normal(0, 30, (6, 1)),
        w_out=rng.normal(0, 1, (1, 6)), b_out=[0.0], tau_ms=rng.uniform(20, 60, 6), task="go-nogo",
    )  # fmt: skip
    network = map_one_to_one(rate, 1.0)
    inputs = rng.normal(0, 1, (30, trials, 1))
    both = np.concatenate([inputs, 0.5 * inputs], axis=1)
    drive = bridge.Drive(inputs=both, noise=bridge.SharedNoise(seed=2))
    spikes = bridge.simulate(network, drive).spikes
    _, activity = rate.run(inputs, None)
    # A unit that never varies has no correlation.
    activity[:, :, 4] = 0.3
    found = unit_correlations(network, spikes, activity)
    filtered = filtered_spikes(network, network.readouts[0], spikes)
    for part in range(2):
        mine = filtered[:, part * trials : (part + 1) * trials]
        for unit in (0, 1, 2, 3, 5):
            pair = mine[:, :, unit].ravel(), activity[:, :, unit].ravel()
            if mine[:, :, unit].any():
                # From sums of squares here, from deviations there: 90 terms, rounding of 1e-13.
                expected = np.corrcoef(*pair)[0, 1]
                assert found[part, unit] == pytest.approx(expected, abs=1e-12)
        assert found[part, 4] == 0
    assert np.abs(found).max() > 0.1
    # Not a bit depends on how many scale factors are looked at together.
    for at_once in (1, 2 * trials):
        monkeypatch.setattr(correlations, "AT_ONCE", at_once)
        np.testing.assert_array_equal(unit_correlations(network, spikes, activity), found)


def go_nogo_trials(count=40):
    task = bridge.task("go-nogo")
    return task, task.trials(count, np.random.default_rng(0))


def test_chance_is_what_answers_to_other_trials_get():
    task, trials = go_nogo_trials()
    silent, always = np.zeros_like(trials.targets), np.ones_like(trials.targets)
    # Half of the trials are NoGo: silence answers these, and one answer to all the others.
    assert chance_level(task, silent, trials) == 0.5
    assert chance_level(task, always, trials) == 0.5
    # Right answers, shifted against their trials, are right about as often; 25 shifts of 40 trials.
    assert chance_level(task, trials.targets, trials) == pytest.approx(0.5, abs=0.05)
    assert chance_level(task, silent[:, :1], trials.chosen(np.array([0]))) is None
    oscillation = bridge.task("oscillation")
    alike = oscillation.trials(10, np.random.default_rng(0))
    assert chance_level(oscillation, alike.targets, alike) is None


def test_answers_are_told_from_chance_by_a_binomial_test():
    # P(X >= 59 | 100, 1/2) = 0.044, P(X >= 58) = 0.067.
    assert told_from_chance(59, 100, 0.5)
    assert not told_from_chance(58, 100, 0.5)
    # Four right of four are 1 in 16: nothing can be told, so nothing is held against it.
    assert told_from_chance(4, 4, 0.5)
    assert told_from_chance(0, 4, 0.5)
    assert not told_from_chance(0, 5, 0.5)


def faithfulness(**fields):
    return Faithfulness(**({"trials": 100, "correct": 98, "lost": 2, "gained": 0} | fields))


def test_a_conversion_fails_where_it_is_worse_than_chance_explains_or_no_better_than_chance():
    assert faithfulness().rate_correct == 100
    assert not faithfulness(output_error=0.1, chance=0.5).failed
    # Six trials lost to none are 2/64 = 3 % two-sided, five 6 %.
    assert not faithfulness(correct=95, lost=5).failed
    worse = faithfulness(correct=94, lost=6)
    assert worse.worse
    assert "right in 94 of 100 trials where its rate network is in 100 (p = 0.031)" in (
        worse.failure()
    )
    assert "more units" in worse.failure()
    # Better than its rate network is no failure.
    assert not faithfulness(correct=98, lost=0, gained=10).failed
    chance = faithfulness(correct=50, lost=0, gained=0, chance=0.5)
    assert chance.at_chance
    assert "no better than chance (50 of 100 right, 50% when" in chance.failure()
    assert "the rate network itself does the task badly" in chance.failure()


def test_an_output_that_is_not_kept_is_said_with_both_figures_and_the_refit():
    said = faithfulness(output_error=0.33).warning()
    assert "98 of 100 answers are right" in said
    assert "output error 0.33" in said
    assert "--refit-readout" in said
    assert faithfulness(output_error=0.2).warning() == ""
    assert faithfulness().warning() == ""
    assert faithfulness(correct=50, lost=50, output_error=9.0).warning() == ""


def test_where_nothing_judges_the_answers_the_output_decides():
    unjudged = dict.fromkeys(("correct", "lost", "gained"))
    kept, lost = (Faithfulness(trials=9, **unjudged, output_error=e) for e in (0.2, 0.21))
    assert (kept.failed, lost.failed) == (False, True)
    assert kept.failure() == kept.warning() == ""
    assert "so the output alone is judged (an output error up to 0.2 counts" in kept.not_judged()
    assert "output error 0.21, up to 0.2 counts as kept" in lost.failure()
    assert lost.warning() == lost.not_judged() == ""
    # Nothing measured, nothing said.
    nothing = Faithfulness(trials=9, **unjudged)
    assert not nothing.failed
    assert nothing.not_judged() == ""


def test_an_output_error_in_fresh_trials_is_all_of_it_where_nothing_judged_them():
    made = {"fresh_trials": 5, "fresh_output_error": 0.1}
    assert refitted(made, None).output_error == 0.1
    # Files of before there was more than accuracy tell of right answers, and not of whose.
    assert refitted({**made, "fresh_correct": 4}, None) is None
    assert refitted({"fresh_trials": 5}, None) is None


def test_a_network_beside_its_rate_network_is_measured_on_the_same_trials(monkeypatch):
    monkeypatch.setattr(go_nogo, "GoNoGo", SHORT_TASK)
    rng = np.random.default_rng(3)
    rate = RateNetwork(
        recurrent=rng.normal(0, 1, (8, 8)), w_in=rng.normal(0, 9, (8, 1)),
        w_out=rng.normal(0, 1, (1, 8)), b_out=[0.1], tau_ms=np.full(8, 30.0), task="go-nogo",
    )  # fmt: skip
    network = map_one_to_one(rate, 30.0)
    made, drive = task_drive(network, 6, 1)
    recording = bridge.simulate(network, drive)
    task, (outputs,) = bridge.task("go-nogo"), recording.readouts.values()
    found = beside(RateAnswers.of(rate, task, made, 1), network, recording)
    wanted, _ = rate.run(made.inputs, None)
    assert found.output_error == output_error(outputs, wanted)
    assert found.correct == task.spiking_correct(outputs, made).sum()
    noisy, _ = rate.run(made.inputs, np.random.default_rng((1, 2)))
    assert found.rate_correct == task.rate_correct(noisy, made).sum()


def test_without_noise_a_rate_network_repeats_itself():
    rate = RateNetwork(
        recurrent=[[0.5]], w_in=[[1.0]], w_out=[[2.0]], b_out=[0.25], tau_ms=[20.0], dt_ms=5.0
    )
    outputs, activity = rate.run(np.ones((3, 1, 1)), None)
    # x(0) = 0; x(1) = 3/4 x(0) + 1/4 (W phi(x(0)) + 1) and so on.
    x = [0.0]
    for _ in range(2):
        x.append(0.75 * x[-1] + 0.25 * (0.5 / (1 + np.exp(-x[-1])) + 1.0))
    phi = 1 / (1 + np.exp(-np.array(x)))
    # The sigmoid is a tanh there: a few roundings of 1e-16.
    np.testing.assert_allclose(activity[:, 0, 0], phi, rtol=1e-14)
    np.testing.assert_allclose(outputs[:, 0, 0], 2 * phi + 0.25, rtol=1e-14)


def scale_search(**fields):
    given = {
        "inverse_scales": [20.0, 25.0], "correct": [3, 4], "trials": 4, "best": 1, "seed": 0,
        "backend": "reference", "seconds": 0.1, "rule": "faithful", "output_error": [0.5, 0.1],
        "unit_correlations": [[0.1, 0.2, 0.9], [0.3, -0.4, 1.0]], "lost": [1, 0], "gained": [0, 0],
        "chance": 0.5,
    } | fields  # fmt: skip
    return ScaleSearch(**given)


def test_a_search_says_how_faithful_its_choice_is():
    found = scale_search().faithfulness()
    assert (found.trials, found.correct, found.rate_correct) == (4, 4, 4)
    assert (found.output_error, found.unit_correlation, found.chance) == (0.1, 0.3, 0.5)
    assert scale_search().at_end
    assert not scale_search(inverse_scales=[25.0], correct=[4], output_error=[0.1], lost=[0],
                            gained=[0], unit_correlations=[[0.1]], best=0).at_end  # fmt: skip
    # Files of before there was anything but accuracy.
    assert scale_search(lost=None).faithfulness() is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"rule": "best"}, "rule: 'faithful', 'accuracy', 'score', got 'best'"),
        ({"output_error": [0.1]}, "output_error"),
        ({"output_error": [-0.1, 0.1]}, "output_error: must lie between 0 and inf"),
        ({"output_error": [np.nan, 0.1]}, "output_error"),
        ({"unit_correlations": [[2.0], [0.1]]}, "unit_correlations: must lie between -1 and 1"),
        ({"lost": [2, 0]}, "lost: does not fit the trials answered rightly"),
        ({"gained": [0, 5]}, "gained: does not fit the trials answered rightly"),
        ({"chance": 1.5}, "chance: must lie between 0 and 1"),
        ({"chance": "half"}, "chance"),
    ],
)
def test_a_search_whose_measures_make_no_sense_is_refused(fields, message):
    with pytest.raises(SpecError, match=message):
        scale_search(**fields)


def test_what_a_search_measured_is_kept_in_the_file_and_older_files_lack_it(tmp_path):
    rate = RateNetwork(
        recurrent=np.zeros((3, 3)), w_in=np.ones((3, 1)), w_out=np.ones((1, 3)), b_out=[0.0],
        tau_ms=np.full(3, 30.0),
    )  # fmt: skip
    for number, search in enumerate(
        (scale_search(), scale_search(**dict.fromkeys(
            ("output_error", "unit_correlations", "lost", "gained", "chance")), rule="accuracy"))
    ):  # fmt: skip
        made = bridge.Conversion(network=map_one_to_one(rate, 25.0), rate=rate, search=search)
        back = bridge.load(bridge.save(made, tmp_path / f"{number}.h5")).search
        for name, value in vars(search).items():
            np.testing.assert_array_equal(getattr(back, name), value)


@pytest.mark.parametrize(
    "wrong",
    [{"fresh_chance": "half", "fresh_lost": "none"}, {"fresh_trials": 0}, {"fresh_lost": 9},
     {"fresh_gained": None}],
)  # fmt: skip
def test_a_provenance_that_makes_no_sense_says_nothing_of_a_refit(wrong):
    good = {
        "fresh_trials": 8, "fresh_correct": 7, "fresh_lost": 1, "fresh_gained": 0,
        "fresh_output_error": 0.1, "fresh_chance": 0.5,
    }  # fmt: skip
    assert refitted(good, None).correct == 7
    assert refitted(good | {"fresh_output_error": None}, None).output_error is None
    assert refitted(good | wrong, None) is None
    assert refitted({}, None) is None


def test_the_trials_of_a_task_of_ones_own_without_conditions_have_no_chance_level():
    class Ramp:
        name, step_ms, steps, input_size, output_size = "ramp", 5.0, 4, 1, 1
        conditions = ("ramp",)

        def trials(self, count, rng):
            wanted = np.tile(np.arange(4.0)[:, None, None], (1, count, 1))
            return Trials(inputs=wanted, targets=wanted, labels=np.zeros(count, dtype=np.int64))

        def spiking_correct(self, outputs, trials):
            return np.abs(outputs - trials.targets).max(axis=(0, 2)) < 0.5

        rate_correct = spiking_correct

    made = Ramp().trials(5, None)
    assert chance_level(Ramp(), made.targets, made) is None
    assert chance_level(Ramp(), 0 * made.targets, made) is None
