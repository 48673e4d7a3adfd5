"""What a `.mat` file says besides its weights is held against what is presumed of it."""

import io

import numpy as np
import pytest
from exchange.mat_files import INHIBITORY, SIGNS, UNITS, original_fields, write_original
from scipy.io import savemat

import bridge
from bridge.errors import FormatError, SpecError

GO_NOGO = "Task_go-nogo_N_7.mat"


@pytest.fixture
def imported(tmp_path):
    def make(name=GO_NOGO, options=None, **fields):
        path = write_original(tmp_path / name, **fields)
        return bridge.import_network(path, **(options or {}))

    return make


# Go-NoGo lasts 200 samples (Kim et al. 2019), its XOR 300.
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"u": np.ones((1, 200)), "target": np.zeros((1, 200))},
        {"u": np.ones((200, 1)), "o": np.ones((199, 1, 1))},
        {"u": np.ones((200, 50)), "target": np.zeros((50, 200, 1))},
        {"u": np.zeros((0, 0)), "target": {"a": 1.0}},
        {"settings": {"T": 200, "DeltaT": 1, "taus": [4.0, 20.0], "task": "go-nogo"}},
        {"settings": {"DeltaT": 5.0, "tau_ms": [20.0, 100.0]}, "dt": 0.005},
        {"T": 200, "task": "go-nogo:strict"},
    ],
)
def test_a_task_that_all_evidence_agrees_on_is_taken(fields, imported):
    given = imported(**fields)
    assert given.rate.task == fields.get("task", "go-nogo")
    assert given.task_doubt == ""
    assert given.rate.dt_ms == 5.0


@pytest.mark.parametrize(
    ("fields", "doubt"),
    [
        (
            {"u": np.ones((1, 300))},
            "its name says go-nogo, but the trials of u last 300 samples, those of go-nogo 200",
        ),
        ({"target": np.zeros((300, 1))}, "its name says go-nogo, but the trials of target last 30"),
        ({"z": np.zeros((1, 40, 300))}, "the trials of z last 40 or 300 samples"),
        ({"u": np.ones((300, 1)), "T": 200}, "the trials of u last 300"),
        ({"settings": {"T": 500}}, "but settings.T is 500, trials of go-nogo last 200 samples"),
        (
            {"settings": {"task": "xor"}},
            "its field settings.task says xor and its name go-nogo",
        ),
        ({"task": "mante"}, "its field task says context and its name go-nogo"),
        (
            {"w_in": np.ones((UNITS, 2))},
            "says go-nogo, but the task go-nogo has 1 input and 1 output, this network has 2",
        ),
    ],
)
def test_evidence_against_the_task_is_named_and_the_task_asked_for(
    fields, doubt, imported, refused, command, tmp_path
):
    assert doubt in imported(**fields).task_doubt
    assert imported(**fields).rate.task == ""
    file, out = tmp_path / GO_NOGO, tmp_path / "rate.h5"
    line = refused("import", file, "--out", out)
    assert doubt in line
    assert "give --task NAME or --task none" in line
    assert command("import", file, "--out", out, "--task", "none").status == 0


def test_channels_of_its_trials_that_the_network_lacks_are_evidence_too(imported):
    doubt = imported("Task_xor.mat", w_in=np.ones((UNITS, 2)), u=np.ones((3, 300))).task_doubt
    assert "its name says xor, but u of shape (3, 300) is of no network with 2 inputs" in doubt


def test_a_task_that_is_given_counts_and_the_contradiction_is_noted(command, tmp_path):
    file = write_original(tmp_path / GO_NOGO, u=np.ones((1, 300)))
    outcome = command("import", file, "--out", tmp_path / "rate.h5", "--task", "go-nogo")
    assert outcome.status == 0
    assert (
        "note: the trials of u last 300 samples, those of go-nogo 200; its task is" in outcome.err
    )


def test_a_task_that_does_not_fit_is_refused_whoever_names_it(imported):
    with pytest.raises(FormatError, match="the task xor has 2 inputs and 1 output"):
        imported(options={"task": "xor"})
    with pytest.raises(FormatError, match=r"go-nogo has steps of 5 ms, this network .* of 20 ms"):
        imported(options={"task": "go-nogo", "dt_ms": 20})


def test_without_evidence_there_is_no_task(imported):
    given = imported("model.mat")
    assert (given.rate.task, given.task_doubt) == ("", "neither its name nor a field says which")


# --- the step


def test_a_step_that_is_given_scales_the_time_constants(command, tmp_path):
    file = write_original(tmp_path / "model.mat", taus=np.array([[5.0]]))
    outcome = command(
        "import", file, "--out", tmp_path / "rate.h5", "--task", "none", "--dt-ms", 20
    )
    assert outcome.status == 0, outcome.err
    rate = bridge.load(tmp_path / "rate.h5")
    # Five steps of 20 ms.
    assert (rate.dt_ms, set(rate.tau_ms)) == (20.0, {100.0})


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"settings": {"DeltaT": 20.0}}, "settings.DeltaT is 20"),
        ({"dt": 0.02}, "dt is 0.02"),
        ({"dt_ms": 0.005}, "dt_ms is 0.005"),
        ({"opts": {"dt": 1}}, "opts.dt is 1"),
        ({"settings": {"DeltaT": 5}}, "settings.DeltaT is 5, in whose unit they may be"),
        ({"opts": {"DeltaT": 5, "taus": [4, 20]}}, "opts.DeltaT is 5, in whose unit they may be"),
        ({"training_params": {"tau": [80.0, 400.0]}}, "training_params.tau is 80, 400"),
    ],
)
def test_another_step_in_the_file_is_named_and_the_step_asked_for(fields, said, imported):
    message = rf"steps of 5 ms, while {said}: give the step in ms, --dt-ms"
    with pytest.raises(FormatError, match=message):
        imported(**fields)
    noted = imported(options={"dt_ms": 5.0}, **fields).notes
    assert any(said in note for note in noted)


def test_time_constants_that_may_be_ms_are_noted_where_a_step_is_given(imported):
    # alpha = DeltaT / taus is the authors' formula: then 100 ms, and not 100 steps.
    settings = {"DeltaT": 20, "taus": [100.0]}
    given = imported(taus=100.0, settings=settings, options={"dt_ms": 20.0, "task": ""})
    assert given.notes[0] == (
        "taus of 100 are counted in steps of 20 ms, while settings.DeltaT is 20, in whose unit "
        "they may be"
    )


def test_a_step_that_file_and_user_agree_on_is_no_news(imported):
    fields = {"settings": {"DeltaT": 20, "tau": [80.0, 400.0]}}
    given = imported(options={"dt_ms": 20.0, "task": ""}, **fields)
    assert given.notes == ("not understood and left aside: settings",)
    assert given.rate.dt_ms == 20.0


# --- what is not understood


def test_fields_that_are_not_understood_are_named(imported):
    given = imported(
        w_feedback=np.ones((UNITS, 1)), training_params={"P_rec": 0.2, "inner": {"a": 1}},
        names=np.array([["a", "b"]], dtype=object), x0=np.ones((200, UNITS)), losses=np.ones(9),
    )  # fmt: skip
    assert given.notes == (
        "not understood and left aside: names, training_params, w_feedback",
    )  # fmt: skip


def test_many_fields_are_named_shortly(imported):
    (note,) = imported(**{f"more_{number:02d}": 1.0 for number in range(15)}).notes
    assert note.endswith("more_11 and 3 more")


@pytest.mark.parametrize(
    "fields",
    [
        {"b_rec": np.ones((UNITS, 1))},
        {"bias": np.eye(1, UNITS)},
        {"b_hh": np.full(UNITS, -0.5)},
        {"net": {"b_rec": np.ones(UNITS)}},
    ],
)
def test_a_bias_of_the_units_is_taken_and_said(fields, imported):
    given = imported(**fields)
    ((place, value),) = fields.items()
    value = value["b_rec"] if isinstance(value, dict) else value
    place = place if place != "net" else "net.b_rec"
    np.testing.assert_array_equal(given.rate.bias, value.ravel())
    assert f"{place} is taken as the bias of the units" in given.notes


def test_a_start_and_a_form_are_taken_and_an_example_is_not(imported):
    given = imported(h0=np.full((UNITS, 1), 0.5), form="h")
    assert (given.rate.form, given.rate.initial_state.tolist()) == ("h", [0.5] * UNITS)
    assert "h0 is taken as the first state" in given.notes
    with pytest.raises(FormatError, match="form: expected 'x' or 'h', got 'leaky'"):
        imported(form="leaky")
    with pytest.raises(FormatError, match="form: the file says h and x"):
        imported(form="h", net={"form": "x"})
    with pytest.raises(FormatError, match=r"b_rec: expected \d+ numbers, got shape"):
        imported(b_rec=np.ones((UNITS + 1, 1)))
    (note,) = imported(x0=np.ones((UNITS, 1))).notes
    assert note.startswith("x0, a state to start from, is left aside")


def test_a_bias_and_a_start_of_zero_are_none(imported):
    zero = np.zeros((UNITS, 1))
    assert imported(b_rec=zero, h0=zero, x0=zero, opts={"bias": True}).notes == (
        "not understood and left aside: opts",
    )


def test_weights_in_a_struct_are_not_found_and_it_is_said_where_they_are(tmp_path):
    savemat(tmp_path / "model.mat", {"net": original_fields()})
    with pytest.raises(FormatError, match="its weights stand in the struct net; save the fields"):
        bridge.import_network(tmp_path / "model.mat")


def test_what_is_empty_or_unused_is_as_good_as_not_there(imported):
    nothing = np.zeros((0, 0))
    given = imported(inh=nothing, inh_som=nothing, N=nothing, taus=7.0, taus_gaus=nothing)
    np.testing.assert_array_equal(given.rate.excitatory, ~INHIBITORY)
    unused = imported(taus=7.0, taus_gaus=np.full((UNITS, 1), np.nan))
    assert set(unused.rate.tau_ms) == {35.0}


def test_text_as_an_object_of_matlab_is_asked_for_as_plain_text(tmp_path):
    # Class 17, as MATLAB keeps "strings": flags and name, without a shape.
    def element(kind, content):
        content += bytes(-len(content) % 8)
        return np.array([kind, len(content)], "<u4").tobytes() + content

    name = np.array([1, 10], "<u4").tobytes() + b"activation".ljust(16, b"\0")
    opaque = element(14, element(6, np.array([17, 0], "<u4").tobytes()) + name)
    file = write_original(tmp_path / GO_NOGO)
    file.write_bytes(file.read_bytes() + opaque)
    with pytest.raises(FormatError, match="activation: an object of a MATLAB class, which is not"):
        bridge.import_network(file)
    assert bridge.import_network(file, activation="relu").rate.activation == "relu"


# --- scale factors


@pytest.mark.parametrize(
    ("held", "said"),
    [
        (np.nan, "[nan]"),
        (np.zeros((0, 0)), "[]"),
        (np.array([[40, 45]]), "[40.0, 45.0]"),
        ("none found", "'none found'"),
        (0.02, "[0.02]"),
        (np.inf, "[inf]"),
    ],
)
def test_a_search_that_found_no_scale_factor_spoils_no_rate_network(held, said, command, tmp_path):
    file, out = write_original(tmp_path / GO_NOGO, opt_scaling_factor=held), tmp_path / "rate.h5"
    outcome = command("import", file, "--out", out)
    assert outcome.status == 0, outcome.err
    assert f"opt_scaling_factor is not one number from 1 on but {said}: no scale" in outcome.err
    given = bridge.import_network(file)
    assert given.inverse_scale is None
    with pytest.raises(SpecError, match="holds no chosen scale factor"):
        given.spiking()


@pytest.mark.parametrize("held", [{"a": 1.0}, 1j])
def test_a_scale_factor_that_is_no_number_is_left_aside(held, imported):
    given = imported(opt_scaling_factor=held)
    assert given.inverse_scale is None
    assert given.notes == ("not understood and left aside: opt_scaling_factor",)


def test_accuracies_that_are_no_numbers_are_left_out(imported):
    given = imported(opt_scaling_factor=45.0, all_perfs="good", scaling_factors=[40.0, 45.0])
    assert given.inverse_scale == 45.0
    assert "do not fit each other" in given.notes[0]


# --- vectors


@pytest.mark.parametrize("oned_as", ["row", "column"])
def test_vectors_lie_as_the_number_of_units_says(oned_as, tmp_path):
    fields = original_fields()
    flat = {
        name: fields[name].ravel() for name in ("w_in", "w_out", "b_out", "inh", "taus_gaus")
    } | {"m": SIGNS, "opt_scaling_factor": np.array([45.0])}
    savemat(tmp_path / GO_NOGO, fields | flat, oned_as=oned_as)
    found = bridge.import_network(tmp_path / GO_NOGO)
    expected = bridge.import_network(write_original(tmp_path / "x_go-nogo.mat")).rate
    for name in ("recurrent", "w_in", "w_out", "b_out", "tau_ms", "excitatory"):
        np.testing.assert_array_equal(getattr(found.rate, name), getattr(expected, name))
    assert (found.rate.task, found.inverse_scale, found.notes) == ("go-nogo", 45.0, ())
    np.testing.assert_array_equal(found.rate.excitatory, ~INHIBITORY)


@pytest.mark.parametrize(
    "turned",
    [
        {"w_in": np.ones((1, UNITS)), "w_out": np.ones((UNITS, 1))},
        {"w_in": np.ones((3, UNITS))},
        {"w_out": np.ones((UNITS, 2)), "b_out": np.ones(2)},
    ],
)
def test_weights_of_row_vectors_are_refused_since_w_lies_across_too(turned, imported):
    with pytest.raises(FormatError, match=r"those of row vectors.* turn w, w_in and w_out round"):
        imported(**turned)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"w_in": np.ones((1, UNITS + 1))}, r"w_in: expected shape \(7, any\), got \(1, 8\)$"),
        ({"w_out": np.ones((UNITS + 1, 1))}, r"w_out: expected shape \(any, 7\), got \(8, 1\)$"),
        ({"w_in": np.ones((UNITS, 0))}, r"w_in: expected shape \(7, any\), got \(7, 0\)$"),
        ({"m": np.arange(UNITS)}, "^.*m: expected 1 for excitatory"),
    ],
)
def test_what_fits_neither_way_is_refused_without_advice_of_another_command(
    fields, message, imported
):
    with pytest.raises(FormatError, match=message) as refused:
        imported(**fields)
    assert "orientation" not in str(refused.value)


# --- the activation


def test_an_activation_in_a_struct_counts(imported):
    assert imported(training_params={"activation": "softplus"}).rate.activation == "softplus"
    with pytest.raises(FormatError, match=r"activation says sigmoid and training_params\.act"):
        imported(activation="sigmoid", training_params={"activation": "softplus"})
    chosen = imported(
        options={"activation": "relu"}, activation="sigmoid", opts={"activation": "softplus"}
    )
    assert chosen.rate.activation == "relu"


def test_another_activation_in_the_name_is_noted(imported):
    given = imported("Task_go-nogo_Act_softplus.mat", activation="sigmoid")
    assert given.rate.activation == "sigmoid"
    assert given.notes == (
        "the activation is sigmoid, as activation says, not softplus as its name",
    )


# --- damaged structs


@pytest.mark.parametrize("packed", [False, True])
def test_damaged_structs_are_refused_or_read_and_nothing_else(packed, tmp_path):
    buffer = io.BytesIO()
    settings = {"DeltaT": 1.0, "task": "go-nogo", "taus": [4.0, 20.0], "inner": {"b": [1.0, 2]}}
    savemat(buffer, {"settings": settings} | original_fields(), do_compression=packed)
    whole, file, rng = buffer.getvalue(), tmp_path / GO_NOGO, np.random.default_rng(0)
    refused = 0
    for _ in range(300):
        damaged = bytearray(whole)
        for place in rng.integers(128, 1100, 3):
            damaged[place] = rng.integers(256)
        file.write_bytes(damaged)
        try:
            bridge.import_network(file)
        except FormatError:
            refused += 1
    assert refused > 50
