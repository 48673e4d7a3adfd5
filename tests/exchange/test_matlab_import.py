"""`.mat` files of the authors' code become rate networks, or are refused in a sentence."""

import numpy as np
import pytest
from exchange.mat_files import (
    INHIBITORY,
    SIGNS,
    SOM,
    UNITS,
    original_fields,
    write_original,
)
from scipy import sparse

import bridge
from bridge.errors import FormatError, SpecError
from bridge.methods.one_to_one import map_one_to_one


@pytest.fixture
def imported(tmp_path):
    """Import a file with some fields changed or, where None, left out."""

    def make(name="Task_go-nogo_N_7_Act_sigmoid.mat", options=None, **fields):
        path = write_original(tmp_path / name, **fields)
        return bridge.import_network(path, **(options or {}))

    return make


def raw(name):
    return original_fields()[name].astype(np.float64)


def test_weights_signs_and_mask_act_as_in_the_authors_code(imported):
    rate = imported().rate
    np.testing.assert_array_equal(rate.recurrent, (raw("w") @ raw("m")) * raw("som_m"))
    for name in ("w_in", "w_out"):
        np.testing.assert_array_equal(getattr(rate, name), raw(name))
    assert rate.b_out.tolist() == [0.125]
    np.testing.assert_array_equal(rate.excitatory, ~INHIBITORY)
    assert (rate.dt_ms, rate.activation, rate.task) == (5.0, "sigmoid", "go-nogo")


def test_time_constants_lie_in_their_range_by_a_sigmoid(imported):
    # tau_d = sigmoid(g) (tau_max - tau_min) + tau_min in steps of 5 ms.
    gates = raw("taus_gaus").ravel()
    expected = 5 * (1 / (1 + np.exp(-gates)) * (20 - 4) + 4)
    # The importer writes the sigmoid otherwise: some units in the last place.
    np.testing.assert_allclose(imported().rate.tau_ms, expected, rtol=1e-14)


def test_a_single_time_constant_holds_for_all_units(imported):
    rate = imported(taus=np.uint8(7), taus_gaus=None).rate
    assert rate.tau_ms.tolist() == [35.0] * UNITS


def test_numbers_that_matlab_stored_as_uint8_are_numbers(imported):
    # In uint8 100 * 5 is 244, and -1 is 255.
    whole = np.arange(UNITS * UNITS, dtype=np.uint8).reshape(UNITS, UNITS) * 5
    rate = imported(
        w=whole, taus=np.array([[60, 100]], dtype=np.uint8),
        taus_gaus=np.zeros((UNITS, 1), dtype=np.uint8), opt_scaling_factor=np.uint8(50),
    )  # fmt: skip
    expected = whole.astype(float) * SIGNS * raw("som_m")
    np.testing.assert_array_equal(rate.rate.recurrent, expected)
    assert rate.rate.tau_ms.tolist() == [400.0] * UNITS
    assert rate.inverse_scale == 50.0


@pytest.mark.parametrize("turned", [False, True], ids=["as in the files", "as in the paper"])
def test_cell_types_come_from_the_motif_in_the_mask(turned, imported):
    som_m = raw("som_m").T if turned else raw("som_m")
    names = np.where(SOM, "SOM", np.where(INHIBITORY, "PV", "PYR"))
    assert imported(som_m=som_m).rate.cell_types == tuple(names)
    assert imported(som_m=np.ones((UNITS, UNITS))).rate.cell_types is None


def test_cell_types_that_the_file_names_count_first(imported):
    named = np.array([[0, 1, 0, 0, 0, 0, 0]], dtype=np.uint8)
    assert imported(inh_som=named).rate.cell_types == (
        "PYR", "SOM", "PYR", "PV", "PV", "PYR", "PYR",
    )  # fmt: skip


def test_a_mask_without_the_motif_gives_no_cell_types_but_acts(imported):
    som_m = raw("som_m")
    som_m[0, 0] = 0
    given = imported(som_m=som_m)
    np.testing.assert_array_equal(given.rate.recurrent, raw("w") * SIGNS * som_m)
    assert given.rate.cell_types is None
    assert "not a motif of SOM units" in given.notes[0]


def test_negative_raw_weights_break_dales_law_and_are_said(imported):
    # As the Python port saves them: without the relu.
    w = np.random.default_rng(1).normal(0, 1, (UNITS, UNITS))
    given = imported(w=w)
    np.testing.assert_array_equal(given.rate.recurrent, w * SIGNS * raw("som_m"))
    assert given.rate.excitatory is None
    acting = w * raw("som_m")
    negative, others = (acting < 0).sum(), np.count_nonzero(acting)
    assert f"w holds {negative} negative weights of {others}" in given.notes[0]
    assert "--relu" in given.notes[0]
    assert list(given.rate.provenance["notes"]) == list(given.notes)


def test_negative_weights_that_a_mask_takes_away_break_no_law(imported):
    w, som_m = np.abs(raw("w")), np.ones((UNITS, UNITS))
    som_m[0, 0] = 0
    w[0, 0] = -1.0
    given = imported(w=w, som_m=som_m)
    np.testing.assert_array_equal(given.rate.excitatory, ~INHIBITORY)
    np.testing.assert_array_equal(given.rate.recurrent, w * SIGNS * som_m + 0.0)
    assert not any("negative" in note for note in given.notes)


def test_the_relu_repairs_them(imported):
    w = np.random.default_rng(1).normal(0, 1, (UNITS, UNITS))
    given = imported(w=w, options={"relu": True})
    np.testing.assert_array_equal(given.rate.recurrent, np.maximum(w, 0) * SIGNS * raw("som_m"))
    np.testing.assert_array_equal(given.rate.excitatory, ~INHIBITORY)
    negative = (w * raw("som_m") < 0).sum()
    assert given.notes == (f"{negative} negative weights of w were set to zero",)


def test_without_inhibitory_units_negative_weights_are_no_broken_law(imported):
    # The authors' code without Dale's law: m is the identity.
    w, nobody = np.random.default_rng(1).normal(0, 1, (UNITS, UNITS)), np.zeros((UNITS, 1))
    given = imported(w=w, m=np.eye(UNITS), som_m=np.ones((UNITS, UNITS)), inh=nobody)
    np.testing.assert_array_equal(given.rate.recurrent, w)
    assert (given.rate.excitatory, given.notes) == (None, ())


def test_a_search_kept_in_the_file_makes_the_spiking_network(imported):
    given = imported(
        opt_scaling_factor=np.uint8(45), all_perfs=np.array([[0.5], [1.0]]),
        scaling_factors=np.array([[40, 45]], dtype=np.uint8),
    )  # fmt: skip
    assert given.inverse_scale == 45.0
    assert given.rate.provenance["search"] == {
        "inverse_scale": 45.0, "inverse_scales": [40.0, 45.0], "accuracies": [0.5, 1.0],
    }  # fmt: skip
    made, expected = given.spiking(), map_one_to_one(given.rate, 45.0)
    for ours, theirs in zip(made.projections, expected.projections, strict=True):
        np.testing.assert_array_equal(ours.weights, theirs.weights)
    # As the authors' code has it, which leaves the output bias out.
    assert np.any(given.rate.b_out)
    assert not np.any(made.readouts[0].bias)
    assert made.provenance["inverse_scale"] == 45.0
    assert "Task_go-nogo_N_7" in made.provenance["scale_chosen_by"]


def test_without_a_search_there_is_no_spiking_network_yet(imported):
    with pytest.raises(SpecError, match="holds no chosen scale factor"):
        imported().spiking()


def test_a_search_that_does_not_fit_itself_is_left_out(imported):
    given = imported(all_perfs=np.ones((3, 1)), scaling_factors=np.array([[40, 45]]))
    assert "do not fit each other" in given.notes[0]
    assert "search" not in given.rate.provenance


@pytest.mark.parametrize(
    ("name", "channels", "task"),
    [
        ("Task_go-nogo_N_200_Taus_4.0_20.0_Act_sigmoid.mat", 1, "go-nogo"),
        ("go_nogo.mat", 1, "go-nogo"),
        ("Task_xor_N_200.mat", 2, "xor"),
        ("Task_mante_N_250.mat", 4, "context"),
        ("Task_xor_N_200.mat", 1, ""),
        ("model.mat", 1, ""),
        ("xor_and_mante.mat", 2, ""),
    ],
)
def test_the_task_is_taken_where_name_and_channels_agree(name, channels, task, imported):
    assert imported(name, w_in=np.ones((UNITS, channels))).rate.task == task


def test_a_task_that_is_given_counts(imported):
    assert imported(options={"task": "mine"}).rate.task == "mine"


@pytest.mark.parametrize(
    ("name", "field", "given", "activation"),
    [
        ("model.mat", None, None, "sigmoid"),
        ("Task_xor_Act_softplus_2019.mat", None, None, "softplus"),
        ("Task_xor_Act_clipped_relu_2019.mat", None, None, "relu"),
        ("Task_xor_Act_softplus_2019.mat", "clipped_relu", None, "relu"),
        ("Task_xor_Act_softplus_2019.mat", None, "sigmoid", "sigmoid"),
    ],
)
def test_the_activation_is_given_or_held_or_in_the_name(name, field, given, activation, imported):
    network = imported(name, activation=field, options={"activation": given}).rate
    assert network.activation == activation


def test_it_is_said_where_a_network_comes_from(imported):
    provenance = imported().rate.provenance
    assert provenance["source"] == "Task_go-nogo_N_7_Act_sigmoid.mat"
    assert len(provenance["source_sha256"]) == 64


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"w": None, "som_m": None, "b_out": None}, "lacks w, som_m, b_out; that is no"),
        ({"taus": None}, "lacks taus;"),
        ({"taus_gaus": None}, "lacks taus_gaus;"),
        ({"w": np.ones((UNITS, 3))}, r"w: expected shape \(N, N\).*got \(7, 3\)"),
        ({"w": np.ones((2, 2, 2))}, r"w: expected shape \(N, N\)"),
        ({"m": np.eye(3)}, r"m: expected shape \(7, 7\), got \(3, 3\)"),
        ({"m": np.ones((UNITS, UNITS))}, "must be diagonal"),
        ({"m": np.zeros((UNITS, UNITS))}, "expected 1 for excitatory"),
        ({"som_m": np.ones((UNITS, 1))}, r"som_m: expected shape \(7, 7\), got \(7, 1\)"),
        ({"som_m": np.full((UNITS, UNITS), 2.0)}, "mask: expected only 0 and 1"),
        ({"w_in": np.ones((3, 1))}, r"w_in: expected shape \(7, any\)"),
        ({"w_out": np.ones((1, 3))}, r"w_out: expected shape \(any, 7\)"),
        ({"b_out": np.ones((2, 1))}, "b_out: expected 1 numbers"),
        ({"taus": np.array([[4, 5, 6]])}, "taus: expected one or two values, got 3"),
        ({"taus": np.array([[0, 5]])}, "taus: must be positive"),
        ({"taus_gaus": np.ones((3, 1))}, "taus_gaus: expected 7 numbers"),
        ({"w": np.full((UNITS, UNITS), np.nan)}, "w: holds NaN"),
        ({"taus_gaus": np.full((UNITS, 1), np.inf)}, "taus_gaus: holds NaN or infinite"),
        ({"w": np.ones((UNITS, UNITS)) * 1j}, "w is not a plain array of real numbers but complex"),
        ({"w": {"a": 1.0}}, "w is not a plain array of real numbers but a struct"),
        ({"w": np.array([[{}]], dtype=object)}, "w is not a plain array of real numbers but"),
        ({"w": sparse.csc_array(np.eye(UNITS))}, "not a plain array of real numbers but a sparse"),
        ({"w": "weights"}, "w: expected an array of real numbers"),
        ({"N": 8}, "N: expected 7, the size of w"),
        ({"inh": np.zeros((UNITS, 1))}, "inh: contradicts the signs in m"),
        ({"inh_som": np.ones((UNITS, 1))}, "inh_som: names units that are not inhibitory"),
        ({"activation": "gelu"}, "unknown activation 'gelu'; known are sigmoid"),
        ({"activation": 3.0}, "unknown activation"),
        ({"activation": np.array(["sigmoid", "clipped"])}, "activation is not a line of text"),
    ],
)
def test_a_file_of_other_fields_is_refused(fields, message, imported):
    with pytest.raises(FormatError, match=rf"\.mat: .*{message}"):
        imported(**fields)
