import numpy as np
import pytest

import bridge
from bridge.errors import SpecError
from bridge.rate.start import balanced, first_values
from bridge.rate.training_options import Options
from bridge.tasks import task

SHORT = {"batch": 4, "check_every": 5, "evaluation_trials": 4, "max_updates": 5, "seed": 3}


def first(**options):
    return first_values(task("go-nogo"), Options(**options), seed=7)


def test_weights_start_with_the_spread_and_the_density_of_the_paper():
    w = first(units=400, dale=False, gain=1.5, sparsity=0.2)["w"]
    nonzero = w[w != 0]
    # 32,000 weights: the standard errors are 0.004 of the spread and 0.001 of the density.
    assert nonzero.size / w.size == pytest.approx(0.2, abs=0.005)
    assert nonzero.std() == pytest.approx(1.5 / np.sqrt(400 * 0.2), rel=0.02)


def test_under_dales_law_the_start_is_dominated_by_excitation_unless_balanced():
    for even in (False, True):
        drawn = first(units=200, balanced=even)
        signed = drawn["w"] * np.where(drawn["excitatory"], 1, -1)
        largest = np.abs(np.linalg.eigvals(signed)).max()
        # Girko's circle: a matrix of independent weights has the radius s.d. * sqrt(N).
        radius = np.sqrt((drawn["w"] ** 2).mean() * 200)
        assert (largest > 2.5 * radius) is not even


def test_balancing_keeps_the_size_of_the_weights_and_the_zeros():
    rng = np.random.default_rng(0)
    w = np.abs(rng.normal(size=(30, 30))) * (rng.random((30, 30)) < 0.4)
    excitatory = rng.random(30) < 0.8
    even = balanced(w, excitatory)
    np.testing.assert_allclose(np.linalg.norm(even), np.linalg.norm(w), rtol=1e-12)
    np.testing.assert_array_equal(even == 0, w == 0)
    inhibition = even[:, ~excitatory].sum(axis=1)
    np.testing.assert_allclose(even[:, excitatory].sum(axis=1), inhibition, rtol=1e-12)


def test_a_unit_without_inhibition_is_left_as_it_is():
    w = np.array([[0.0, 1.0], [1.0, 0.0]])
    np.testing.assert_array_equal(balanced(w, np.array([True, True])), w)


@pytest.mark.parametrize("even", [False, True])
def test_som_units_have_no_connections_to_inhibitory_ones_whatever_is_learnt(even):
    network = bridge.train("go-nogo", units=60, som=5, balanced=even, **SHORT)
    types = np.array(network.cell_types)
    assert (types == "SOM").sum() == 5
    np.testing.assert_array_equal(types == "PYR", network.excitatory)
    recurrent = np.asarray(network.recurrent)
    # Rows are postsynaptic: SOM units receive nothing from inhibitory ones, and send to them.
    assert not recurrent[np.ix_(types == "SOM", types != "PYR")].any()
    assert recurrent[np.ix_(types == "SOM", types == "PYR")].any()
    assert recurrent[np.ix_(types == "PV", types == "SOM")].any()
    assert recurrent[np.ix_(types != "PYR", types == "PV")].any()


def test_more_som_units_than_inhibitory_ones_are_refused():
    with pytest.raises(SpecError, match="som: 61 units asked for, but with this seed"):
        bridge.train("go-nogo", units=60, som=61, **SHORT)


def test_the_start_is_balanced_by_default_where_dales_law_holds():
    assert Options().balanced
    assert not Options(dale=False).balanced


def test_weights_free_to_change_sign_learn_in_smaller_steps_unless_told_otherwise():
    assert (Options().learning_rate, Options(dale=False).learning_rate) == (0.01, 0.001)
    assert Options(dale=False, learning_rate=0.01).learning_rate == 0.01


def test_without_dales_law_there_is_nothing_to_balance():
    with pytest.raises(SpecError, match="without Dale's law no unit is inhibitory"):
        Options(dale=False, balanced=True)


@pytest.mark.parametrize("activation", ["softplus", "relu"])
def test_networks_of_other_activations_are_described_as_they_were_trained(activation):
    network = bridge.train("go-nogo", units=20, activation=activation, **SHORT)
    assert network.activation == activation
    trials = task("go-nogo").trials(6, np.random.default_rng(1))
    _, rates = network.run(trials.inputs, np.random.default_rng(2))
    # Rates of the sigmoid lie below 1; these, of the same currents, do not.
    assert rates.min() >= 0
    assert rates.max() > 1
