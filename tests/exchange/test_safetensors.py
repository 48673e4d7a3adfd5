"""State dicts in safetensors; the oracle is the forward pass of the module that was saved."""

import math
from contextlib import suppress

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import bridge
from bridge.errors import FormatError, SpecError

N, C, O = 6, 3, 2  # noqa: E741
TOLD = {"dt_ms": 10.0, "activation": "tanh"}


class Plain(nn.Module):
    def __init__(self, layer=nn.RNN, **options):
        super().__init__()
        self.rnn = layer(C, N, **options)
        self.fc = nn.Linear(N, O)


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        yield


@pytest.fixture
def saved(tmp_path):
    def write(state, name="net.safetensors"):
        arrays = state.state_dict() if isinstance(state, nn.Module) else state
        save_file({key: value.contiguous() for key, value in arrays.items()}, tmp_path / name)
        return tmp_path / name

    return write


def imported(path, **options):
    return bridge.import_network(path, **{**TOLD, **options})


def loose(**changed):
    """Arrays under names of one's own."""
    arrays = {
        "net.J": torch.randn(N, N) / 2, "net.B": torch.randn(N, C), "net.bias_rec": torch.randn(N),
        "out.weight": torch.randn(O, N), "out.bias": torch.randn(O), "x0": torch.randn(N),
        "tau": torch.linspace(20, 90, N, dtype=torch.float64),
    }  # fmt: skip
    return arrays | changed


NAMED = {
    "recurrent": "net.J", "w_in": "net.B", "readout": "out", "bias": ["net.bias_rec"],
    "initial_state": "x0", "tau_ms": "tau", "form": "x",
}  # fmt: skip


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
@pytest.mark.parametrize("bias", [True, False])
def test_an_rnn_and_a_linear_layer_are_found_by_their_names(nonlinearity, bias, saved):
    module = Plain(nonlinearity=nonlinearity, bias=bias).double()
    rate = imported(saved(module), activation=nonlinearity).rate
    inputs = torch.randn(9, 2, C, dtype=torch.float64)
    with torch.no_grad():
        theirs = module.fc(module.rnn(inputs)[0]).numpy()
    ours, _ = rate.run(np.concatenate([inputs.numpy(), np.zeros((1, 2, C))]), None)
    # Both in float64, which sums in another order.
    np.testing.assert_allclose(ours[1:], theirs, atol=1e-12)
    assert (rate.form, rate.tau_ms.tolist(), rate.task) == ("h", [10.0] * N, "")
    assert rate.highest_rate == (20.0 if nonlinearity == "tanh" else math.inf)
    assert (rate.noise_sd, rate.initial_sd) == (0.0, 0.0)


def test_a_cell_a_readout_without_bias_and_none_at_all_are_found_too(saved):
    cell = nn.RNNCell(C, N)
    rate = imported(saved(cell)).rate
    np.testing.assert_array_equal(rate.w_out, np.eye(N))
    np.testing.assert_array_equal(
        rate.bias, (cell.bias_ih.double() + cell.bias_hh.double()).detach()
    )
    state = cell.state_dict() | {"read.weight": torch.ones(1, N), "h0": torch.ones(1, N)}
    rate = imported(saved(state, "b.safetensors")).rate
    assert (rate.w_out.tolist(), rate.b_out.tolist()) == ([[1.0] * N], [0.0])
    assert rate.initial_state.tolist() == [1.0] * N


def test_parts_of_other_names_are_named(saved):
    arrays = loose()
    rate = imported(saved(arrays), **NAMED).rate
    expected = {
        "recurrent": "net.J", "w_in": "net.B", "w_out": "out.weight", "b_out": "out.bias",
        "bias": "net.bias_rec", "initial_state": "x0", "tau_ms": "tau",
    }  # fmt: skip
    for field, name in expected.items():
        np.testing.assert_array_equal(getattr(rate, field), arrays[name].double())
    assert (rate.form, rate.activation) == ("x", "tanh")
    assert rate.provenance["parts"] == "net.J, net.B, out.weight, out.bias, x0, net.bias_rec"


def test_layers_bring_their_biases_and_each_counts_once(saved):
    arrays = {
        "w.weight": torch.randn(N, N), "w.bias": torch.randn(N), "u.weight": torch.randn(N, C),
        "u.bias": torch.randn(N),
    }  # fmt: skip
    given = {"recurrent": "w", "w_in": "u.weight", "bias": ["u.bias"], "tau_ms": 50, "form": "h"}
    rate = imported(saved(arrays), **given).rate
    np.testing.assert_array_equal(rate.bias, arrays["w.bias"].double() + arrays["u.bias"].double())
    assert rate.provenance["parts"] == "w.weight, u.weight, w.bias, u.bias"


def test_only_arrays_that_are_no_layers_are_turned_round(saved):
    arrays = loose()
    arrays |= {"net.J": arrays["net.J"].T, "net.B": arrays["net.B"].T}
    turned = imported(saved(arrays), **NAMED, orientation="pre_post").rate
    np.testing.assert_array_equal(turned.recurrent, arrays["net.J"].T.double())
    np.testing.assert_array_equal(turned.w_in, arrays["net.B"].T.double())
    np.testing.assert_array_equal(turned.w_out, arrays["out.weight"].double())


def test_what_is_not_used_and_what_is_not_tried_is_said(saved):
    first, second = imported(saved(loose(other=torch.ones(1))), **NAMED).notes
    assert first.startswith("activation, form and time constants are as stated, and not tried")
    assert second == "left aside: other"


def test_clipping_and_a_task_are_taken(saved):
    state = nn.RNN(1, N).state_dict() | {"fc.weight": torch.ones(1, N)}
    given = {"dt_ms": 5.0, "activation": "relu6", "task": "go-nogo"}
    rate = imported(saved(state), **given).rate
    assert (rate.activation, rate.highest_rate, rate.task) == ("relu", 6.0, "go-nogo")
    path = saved(state)
    assert (
        imported(path, **given | {"activation": "relu", "highest_rate": 3.0}).rate.highest_rate == 3
    )
    with pytest.raises(FormatError, match=r"net\.safetensors: .*go-nogo.* 5 ms"):
        imported(path, **given | {"dt_ms": 10.0})


BIG = {"rnn.weight_hh_l0": torch.ones(N, N), "rnn.weight_ih_l0": torch.ones(N, C)}

STATES = {
    "no names of torch": (loose, {}, r"no names of an nn.RNN; name its parts.*net.J \(6, 6\), n"),
    "nothing": (dict, {}, "no names of an nn.RNN; .* among no arrays at all"),
    "two": (
        lambda: BIG | {"b.weight_hh": torch.ones(2, 2)},
        {},
        "several nn.RNN, b.weight_hh, rnn",
    ),
    "two layers": (lambda: Plain(num_layers=2), {}, "rnn.weight_hh_l0: of several layers"),
    "two ways": (lambda: nn.RNN(3, 4, bidirectional=True), {}, "weight_hh_l0: of two directions"),
    "LSTM": (lambda: Plain(layer=nn.LSTM), {}, "rnn.weight_hh_l0: of an LSTM, whose gates"),
    "GRU": (lambda: Plain(layer=nn.GRU), {}, "rnn.weight_hh_l0: of a GRU, whose gates"),
    "more": (lambda: BIG | {"a": torch.ones(3)}, {}, "arrays of unknown use, a; name its parts"),
    "no input": (lambda: {"weight_hh": torch.ones(2, 2)}, {}, "w_in: it has no 'weight_ih', but w"),
    "a name": (loose, NAMED | {"w_in": "net.b"}, r"w_in: it has no 'net.b', but net.B \(6, 3\), n"),
    "a tau": (loose, NAMED | {"tau_ms": "taus"}, "tau_ms: it has no 'taus', but"),
    "half": (loose, {"recurrent": "net.J"}, "recurrent and w_in: name both, or neither"),
    "float16": (lambda: Plain().half(), {}, "of type float16, expected float32 or float64"),
    "bfloat16": (lambda: Plain().bfloat16(), {}, "of type bfloat16, expected float32 or float64"),
    "int": (lambda: loose(x0=torch.ones(N, dtype=torch.int64)), NAMED, "x0: of type I64, expected"),
    "NaN": (
        lambda: loose(x0=torch.full((N,), torch.nan)),
        NAMED,
        "initial_state: holds NaN or inf",
    ),
    "shape": (
        lambda: loose(**{"net.J": torch.ones(N, C)}),
        NAMED,
        r"recurrent: expected shape \(N, N\) of at least one unit, got \(6, 3\)",
    ),
    "input": (
        lambda: loose(**{"net.B": torch.ones(C, N)}),
        NAMED,
        r"w_in: expected shape \(6, any\).*got \(3, 6\); orientation",
    ),
    "no step": (Plain, {"dt_ms": None}, r"dt_ms: a file of weights does not say the step in ms"),
    "no activation": (Plain, {"activation": None}, "not say the activation .--activation sigmoid,"),
    "no form": (loose, NAMED | {"form": None}, "form: a file of weights does not say the form"),
    "no tau": (loose, NAMED | {"tau_ms": None}, "tau_ms: .* does not say the time constants in ms"),
    "short tau": (Plain, {"tau_ms": 4}, "tau_ms: must not be below the step of 10 ms, got 4 ms"),
    "activation": (Plain, {"activation": "gelu"}, "'gelu' is not known; known are sigmoid"),
    "form": (Plain, {"form": "z"}, "form: expected 'x' or 'h', got 'z'"),
    "orientation": (Plain, {"orientation": "rows"}, "orientation: expected post_pre or pre_post"),
}


@pytest.mark.parametrize("case", STATES)
def test_a_state_dict_that_is_no_network_is_refused_in_a_sentence(case, saved):
    make, options, message = STATES[case]
    path = saved(make())
    with pytest.raises(FormatError, match=rf"net\.safetensors: .*{message}") as caught:
        imported(path, **options)
    assert "\n" not in str(caught.value)


def header(size):
    return size.to_bytes(8, "little")


DAMAGES = {
    "empty": lambda content: b"",
    "cut in the header": lambda content: content[:20],
    "cut in the arrays": lambda content: content[:-2],
    "more than it says": lambda content: content + b"00",
    "a header of a terabyte": lambda content: header(2**40) + content[8:],
    "the largest header": lambda content: header(2**64 - 1) + content[8:],
    "no JSON": lambda content: content[:8] + b"x" * (len(content) - 8),
    "JSON of another kind": lambda content: header(5) + b"[1,2]",
    "another file": lambda content: b"PK\x03\x04" + b"0" * 200,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_refused_in_a_sentence(damage, saved):
    path = saved(Plain())
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    with pytest.raises(FormatError, match=r"net\.safetensors: damaged, or no safetens") as caught:
        imported(path)
    assert "\n" not in str(caught.value)


def test_no_byte_that_is_changed_makes_python_fail(saved):
    path, rng = saved(Plain()), np.random.default_rng(0)
    content = path.read_bytes()
    end = 8 + int.from_bytes(content[:8], "little")
    for place in rng.integers(0, end, 150):
        changed = bytearray(content)
        changed[place] = rng.integers(256)
        path.write_bytes(changed)
        # Whatever else is raised fails the test.
        with suppress(FormatError):
            imported(path)


@pytest.mark.parametrize("name", ["net.pt", "net.PTH", "net.pkl"])
def test_a_pickle_is_refused_with_the_lines_that_save_it_as_safetensors(name, tmp_path):
    module, path = Plain(), tmp_path / name
    torch.save(module.state_dict(), path)
    for format_ in (None, "safetensors"):
        with pytest.raises(
            FormatError, match="a pickle, which may run code as it is read"
        ) as found:
            imported(path, format=format_)
    lines = str(found.value).partition("in Python: ")[2].split("; ")
    assert len(lines) == 2
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        scope = {}
        for line in lines:
            exec(line, scope)
    rate = imported(tmp_path / "net.safetensors").rate
    np.testing.assert_array_equal(rate.recurrent, module.rnn.weight_hh_l0.detach().double())


def test_options_of_other_kinds_are_refused(saved):
    path = saved(Plain())
    for option, value in (
        ("recurrent", 3), ("bias", "fc.bias"), ("tau_ms", True), ("dt_ms", -1.0), ("form", 1),
    ):  # fmt: skip
        with pytest.raises(SpecError, match=f"{option}: expected "):
            imported(path, **{option: value})
    with pytest.raises(SpecError, match="unknown option 'relu' of importing a network; known are"):
        imported(path, relu=True)


def test_networks_are_not_written_so(saved, tmp_path):
    rate = imported(saved(Plain())).rate
    with pytest.raises(SpecError, match=r"safetensors is read and not written.*bridge\.save keeps"):
        bridge.export_network(rate, tmp_path / "new.safetensors")
    assert not (tmp_path / "new.safetensors").exists()


def test_the_command_imports_with_names_and_says_what_it_found(command, refused, saved, tmp_path):
    path, out = saved(loose()), tmp_path / "rate.h5"
    given = ("import", path, "--out", out, "--dt-ms", 10, "--activation", "relu")
    line = refused(*given)
    assert "no names of an nn.RNN; name its parts, recurrent, w_in and readout, among" in line
    named = ("--recurrent", "net.J", "--w-in", "net.B", "--readout", "out", "--form", "h")
    more = ("--bias", "net.bias_rec", "--initial-state", "x0", "--highest-rate", "inf")
    outcome = command(*given, *named, *more, "--tau-ms", "tau")
    assert outcome.status == 0
    assert f"{out}: rate network of 6 units" in outcome.out
    assert bridge.load(out).highest_rate == np.inf
    assert "note: left aside" not in outcome.err
    rate = bridge.load(out)
    expected = imported(path, **NAMED | {"form": "h", "activation": "relu"}).rate
    for field in ("recurrent", "w_in", "w_out", "b_out", "bias", "initial_state", "tau_ms"):
        np.testing.assert_array_equal(getattr(rate, field), getattr(expected, field))
    command(*given, *named, "--tau-ms", 50, "--force")
    assert bridge.load(out).tau_ms.tolist() == [50.0] * N
    line = refused("import", tmp_path / "r.nwb", "--from", "nwb", "--out", out, "--w-in", "a")
    assert "--w-in: for rate networks only" in line
