"""What NIR files in the world hold: read where it is clear, else refused by node and reason."""

import h5py
import numpy as np
import pytest
from exchange.nir_files import chain, graph, lif, node, small, write_nir

import bridge
from bridge.errors import FormatError, SpecError

AFFINE = {"weight": np.ones((3, 2)), "bias": np.zeros(3)}


def imported(path, **options):
    return bridge.import_network(path, **{"dt_ms": 0.5, **options})


REFUSED = {
    "unknown type": ({"fc": node("Dense", **AFFINE)}, "node fc is of type 'Dense', which is not"),
    "missing field": ({"fc": node("Affine", bias=np.zeros(3))}, r"node fc \(Affine\): weight is"),
    "unknown field": ({"lif": lif(3, theta=1.0)}, r"node lif \(LIF\): has a field 'theta'"),
    "no type": ({"fc": AFFINE}, "node fc has no type; its export may have failed"),
    "transposed": (
        {"fc": node("Linear", weight=np.ones((2, 3)))},
        r"node fc \(Linear\): weight of shape \(2, 3\) takes 3 numbers, and what arrives is of",
    ),
    "words": ({"lif": node("LIF", **{**lif(3), "type": "LIF", "tau": "long"})}, "tau: expected"),
    "NaN": ({"lif": lif(3, r=np.nan)}, "node lif: r holds NaN"),
    "negative tau": ({"lif": lif(3, tau=-0.01)}, r"node lif \(LIF\): tau must be positive, got -0"),
    "slow step": ({"lif": lif(3, tau=0.0005)}, r"lif \(LIF\): tau is 0.5 ms, and an Euler step of"),
    "other size": ({"lif": lif(4)}, r"node lif \(LIF\): r is of shape \(4,\), and what arrives"),
    "several sizes": (
        {"lif": node("LIF", tau=np.ones(2), r=np.ones(3), v_leak=0.0, v_threshold=1.0)},
        "node lif .*(2,)",
    ),
    "output": ({"output": node("Output", shape=np.array([4]))}, r"node output .*\(4,\), and what"),
    "bias": ({"fc": node("Affine", weight=np.ones((3, 2)), bias=np.zeros(2))}, "fc .*bias is of"),
    "dangling edge": ({"edges": chain("input", "fc", "lfi", "output")}, "node lfi is not there"),
    "version": ({"version": "99.9"}, "NIR of version '99.9'; versions 0 and 1 are read"),
    "negative delay": (
        {"late": node("Delay", delay=np.full(2, -0.001)),
         "edges": chain("input", "late", "fc", "lif", "output")},
        r"node late \(Delay\): delay must not be negative",
    ),
    "split step": (
        {"late": node("Delay", delay=np.array([0.001, 0.0007])),
         "edges": chain("input", "late", "fc", "lif", "output")},
        r"node late \(Delay\): delay of 0.0007 s is not a whole number of steps of 0.5 ms",
    ),
    "loop without state": (
        {"back": node("Linear", weight=np.eye(2)), "on": node("Linear", weight=np.eye(2)),
         "edges": [*chain("input", "on", "back", "on"), *chain("on", "fc", "lif", "output")]},
        "lies in a loop without a state",
    ),
    "passing loop": (
        {"late": node("Delay", delay=np.zeros(3)),
         "edges": [*chain("input", "fc", "late", "lif", "output"), ("late", "late")]},
        r"node late \(Delay\): lies in a loop without a state, late to late",
    ),
    "channels": (
        {"input": node("Input", shape=np.array([2, 9])),
         "fc": node("Conv1d", weight=np.ones((1, 3, 3)), stride=1, padding=0, dilation=1, groups=1),
         "lif": lif(7)},
        r"node fc \(Conv1d\): weight of shape \(1, 3, 3\) in 1 group takes 3 channels, and 2",
    ),
    "large kernel": (
        {"input": node("Input", shape=np.array([1, 2])),
         "fc": node("Conv1d", weight=np.ones((1, 1, 3)), stride=1, padding=0, dilation=1,
                    groups=1)},
        r"node fc \(Conv1d\): its kernel of 3 is larger than what arrives, 2",
    ),
    "half stride": (
        {"input": node("Input", shape=np.array([1, 5])),
         "fc": node("Conv1d", weight=np.ones((1, 1, 3)), stride=0.5, padding=0, dilation=1,
                    groups=1)},
        r"node fc \(Conv1d\): stride: expected 1 whole numbers of at least 1",
    ),
    "circular": (
        {"input": node("Input", shape=np.array([1, 5])),
         "fc": node("Conv1d", weight=np.ones((1, 1, 3)), stride=1, padding="circular", dilation=1,
                    groups=1)},
        r"node fc \(Conv1d\): padding 'circular' with stride",
    ),
    "inner shape": (
        {"lif": graph({"input": node("Input", shape=np.array([2])), "n": lif(3),
                       "output": node("Output", shape=np.array([3]))},
                      chain("input", "n", "output"))},
        r"node lif.input \(Input\): its shape is \(2,\), and what arrives is of shape \(3,\)",
    ),
    "no door": (
        {"lif": graph({"n": lif(3)}, [])},
        r"node lif \(NIRGraph\): an edge leads to it, and it has 0 nodes of type",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_represented_is_refused_by_node_and_reason(case, tmp_path):
    changed, message = REFUSED[case]
    path = small(tmp_path / "net.nir", **changed)
    with pytest.raises(FormatError, match=message) as caught:
        imported(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


CONTENTS = {
    "pickle": (b"\x80\x02}q\x00(X\x06", "a pickle of PyTorch under the name of NIR"),
    "archive": (b"PK\x03\x04aaaa", "a pickle of PyTorch under the name of NIR"),
    "pointer": (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS"),
    "text": (b"nothing", "damaged, or no HDF5 file"),
    "empty": (b"", "damaged, or no HDF5 file"),
}


@pytest.mark.parametrize("case", CONTENTS)
def test_a_file_that_is_no_nir_is_said_to_be_what_it_is(case, tmp_path):
    content, message = CONTENTS[case]
    path = tmp_path / "net.nir"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=message):
        imported(path)


def test_foreign_and_truncated_hdf5_is_one_sentence(tmp_path):
    whole = small(tmp_path / "net.nir")
    content = whole.read_bytes()
    (tmp_path / "half.nir").write_bytes(content[: len(content) // 2])
    with pytest.raises(FormatError, match="damaged, or no HDF5 file"):
        imported(tmp_path / "half.nir")
    with h5py.File(tmp_path / "other.nir", "w") as file:
        file["weights"] = np.ones(3)
    with pytest.raises(FormatError, match="no NIR file: it has no group node"):
        imported(tmp_path / "other.nir")
    with pytest.raises(FormatError, match="no such file"):
        imported(tmp_path / "none.nir")


def test_links_to_elsewhere_are_not_followed(tmp_path):
    path = small(tmp_path / "net.nir")
    with h5py.File(path, "a") as file:
        del file["node/nodes/fc/weight"]
        file["node/nodes/fc/weight"] = h5py.ExternalLink("other.h5", "/weight")
    with pytest.raises(FormatError, match="fc/weight links elsewhere; that is not followed"):
        imported(path)


def numbers_of(network, name="lif"):
    neurons = network.population(name).neurons
    return {field: values.tolist() for field, values in neurons.arrays().items()}


def test_single_numbers_whole_ones_and_a_bias_of_false_are_spread(tmp_path):
    plain = small(
        tmp_path / "a.nir",
        lif=node("LIF", tau=np.full(3, 2.0), r=np.ones(3), v_leak=np.zeros(3),
                 v_threshold=np.ones(3), v_reset=np.zeros(3)),
        fc=node("Affine", weight=np.ones((3, 2)), bias=np.zeros(3)),
    )  # fmt: skip
    other = small(
        tmp_path / "b.nir",
        lif=node("LIF", tau=2, r=np.float32(1), v_leak=0, v_threshold=np.ones(1)),
        fc=node("Affine", weight=np.ones((3, 2)), bias=False),
    )
    assert numbers_of(imported(plain).network) == numbers_of(imported(other).network)


def test_what_enters_a_filter_weighs_1_where_the_file_says_nothing(tmp_path):
    shown = node("CubaLI", tau_mem=0.01, tau_syn=0.005, r=np.ones(3), v_leak=0.0)
    path = small(tmp_path / "a.nir", lif=shown)
    assert numbers_of(imported(path).network)["w_in"] == [1.0, 1.0, 1.0]


def test_batch_and_time_left_in_shapes_are_taken_out_and_said(tmp_path):
    path = small(
        tmp_path / "net.nir",
        input=node("Input", shape=np.array([256, 2])),
        lif=lif((1, 3)),
        output=node("Output", shape=np.array([1, 3])),
    )
    got = imported(path)
    assert got.network.input_size == 2
    assert got.network.population("lif").size == 3
    assert got.notes == (
        "node input (Input): its shape (256, 2) is taken as (2,); what stands before is batch or "
        "time",
    )


def test_edges_to_a_graph_that_was_taken_apart_lead_to_its_doors(tmp_path):
    rest = {
        "lif": None,
        "lif1.input": node("Input", shape=np.array([3])),
        "lif1.lif": lif(3),
        "lif1.output": node("Output", shape=np.array([3])),
    }
    inner = chain("lif1.input", "lif1.lif", "lif1.output")
    path = small(
        tmp_path / "a.nir", edges=[*chain("input", "fc", "lif1", "output"), *inner], **rest
    )
    got = imported(path)
    assert [part.name for part in got.network.projections] == ["fc"]
    assert [part.target for part in got.network.projections] == ["lif1_lif"]
    assert any("edges name lif1, which is not there: lif1.input is taken" in n for n in got.notes)


def test_an_edge_may_lead_to_a_node_inside_a_graph(tmp_path):
    inside = graph({"n": lif(3)}, [])
    path = small(tmp_path / "a.nir", lif=inside, edges=chain("input", "fc", "lif.n", "output"))
    assert imported(path).network.population("lif_n").size == 3


def test_roots_and_leaves_without_doors_get_them(tmp_path):
    path = small(tmp_path / "a.nir", input=None, output=None, edges=["fc lif"])
    network = imported(path).network
    assert network.input_size == 2
    assert network.provenance["outputs"] == {"lif": "lif"}


def test_a_node_alone_is_a_graph(tmp_path):
    path = tmp_path / "a.nir"
    with h5py.File(path, "w") as file:
        for name, value in lif(4).items():
            file[f"node/{name}"] = value
    network = imported(path).network
    assert (network.population("lif").size, network.input_size) == (4, 4)


def test_metadata_are_left_out_aloud(tmp_path):
    path = small(tmp_path / "a.nir", lif={**lif(3), "metadata": {"by": "me"}})
    assert imported(path).notes == ("metadata of lif are not kept",)
    path = small(tmp_path / "b.nir")
    with h5py.File(path, "a") as file:
        file["node/metadata/by"] = "me"
    assert imported(path).notes == ("metadata of the graph are not kept",)


def test_names_become_ones_that_can_be_typed_and_an_only_input_is_called_input(tmp_path):
    nodes = {"source": node("Input", shape=np.array([2])), "0": lif(2), "one": lif(2),
             "a b": lif(2), "a_b": lif(2)}  # fmt: skip
    path = write_nir(tmp_path / "a.nir", nodes, chain("source", "0", "a b", "a_b", "one"))
    network = imported(path).network
    assert [part.name for part in network.inputs] == ["input"]
    assert network.provenance["nodes"] == {"n0": "0", "a_b": "a b", "a_b_": "a_b", "one_": "one"}


def test_two_inputs_are_found_by_their_names(tmp_path):
    path = small(
        tmp_path / "a.nir",
        touch=node("Input", shape=np.array([3])),
        edges=[*chain("input", "fc", "lif", "output"), ("touch", "lif")],
    )
    network = imported(path).network
    assert [(part.name, part.size) for part in network.inputs] == [("input_", 2), ("touch", 3)]


DT_S = 1e-4


def discrete(path, **changed):
    """A network of discrete steps as exporters make it, r = tau / dt and w_in = tau_syn / dt."""
    tau, tau_syn = np.float32(0.001), np.float32(0.0004)
    given = {
        "tau_mem": tau,
        "tau_syn": tau_syn,
        "r": tau / np.float32(DT_S),
        "w_in": tau_syn / np.float32(DT_S),
        "v_leak": 0.0,
        "v_threshold": 1.0,
    } | changed
    whole = {name: np.full(3, value) for name, value in given.items()}
    return small(path, lif=node("CubaLIF", **whole))


def test_a_time_step_that_the_file_makes_certain_is_inferred_and_said(tmp_path):
    got = bridge.import_network(discrete(tmp_path / "a.nir"))
    assert got.network.dt_ms == 0.1
    assert got.assumed["time step"].startswith("0.1 ms, inferred from the file")
    assert got.network.provenance["time step"] == got.assumed["time step"]
    given = bridge.import_network(tmp_path / "a.nir", dt_ms=0.05)
    assert given.network.dt_ms == 0.05
    assert given.assumed["time step"] == "0.05 ms, given"


# As Rockpool writes r, as one that is not of steps, one membrane alone, and two that differ.
UNCERTAIN = [
    {"r": 0.001 * np.exp(-0.1) / DT_S},
    {"r": 1.0, "w_in": 1.0},
    {"w_in": 1.0},
    {"r": -10.0},
    {"r": 10.01},
]


@pytest.mark.parametrize("changed", UNCERTAIN)
def test_a_time_step_is_never_guessed(changed, tmp_path):
    path = discrete(tmp_path / "a.nir", **changed)
    with pytest.raises(SpecError, match="its time step is not known, since NIR states none"):
        bridge.import_network(path)


def test_membranes_of_two_lengths_make_a_step_certain(tmp_path):
    first, second = (lif(3, tau=tau, r=tau / DT_S) for tau in (0.002, 0.005))
    path = small(
        tmp_path / "a.nir", lif=first, more=second,
        edges=chain("input", "fc", "lif", "more", "output"),
    )  # fmt: skip
    assert bridge.import_network(path).network.dt_ms == 0.1


def test_where_all_is_linear_the_refusal_says_which_step_leaves_input_as_it_is(tmp_path):
    path = small(tmp_path / "a.nir", lif=node("IF", r=np.ones(3), v_threshold=np.ones(3)))
    with pytest.raises(SpecError, match=r"r = 1, that is 1000$"):
        bridge.import_network(path)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"reset": "zero"}, "reset: 'value' or 'subtract' or 'subtract-late', got 'zero'"),
        ({"threshold": "below"}, "threshold: 'above' or 'at', got 'below'"),
        ({"recurrent_start": "loud"}, "recurrent_start: 'equations' or 'silent', got 'loud'"),
        ({"dt_ms": -1.0}, "dt_ms: expected a step in ms"),
        ({"activation": "tanh"}, "unknown option 'activation'"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused(option, message, tmp_path):
    with pytest.raises(SpecError, match=message):
        imported(small(tmp_path / "a.nir"), **option)


@pytest.mark.full
def test_more_layers_than_python_can_count_are_read_or_refused(tmp_path):
    names = [f"n{number:04d}" for number in range(1500)]
    nodes = {name: node("Scale", scale=np.ones(2)) for name in names}
    edges = chain("input", *names, "fc", "lif", "output")
    path = small(tmp_path / "deep.nir", edges=edges, **nodes)
    with pytest.raises(FormatError, match="its chains of nodes without a state are too long"):
        imported(path)
    cells = {name: lif(3) for name in names[:300]}
    edges = chain("input", "fc", "lif", *names[:300], "output")
    path = small(tmp_path / "long.nir", edges=edges, **cells)
    assert len(imported(path).network.populations) == 301
