"""What each level of the gate sees of each fault."""

from dataclasses import replace

import h5py
import numpy as np
import pytest
from conftest import (
    NETWORKS,
    drive_for,
    kim_network,
    longer_steps_network,
    two_channel_network,
    two_population_network,
)
from several_inputs import drive, several_inputs

import bridge
from bridge.compare.changed_weights import asymmetric
from bridge.compare.faults import FAULTS, find_fault
from bridge.compare.probes.battery import run_probes
from bridge.compare.sides import Side
from bridge.errors import SpecError
from bridge.spiking.weights import Factored

# What a fault is, against what the probes find.
PROBED = {
    "refractory-1ms": "shortest interval",
    "refractory-0": "shortest interval",
    "decays-averaged": "peak",
    "decays-presynaptic": "peak",
    "weights-0.98": "area",
    "weights-0.95": "area",
    "noise-0.8": "variance of the voltage",
    "delay-1step": "onset",
    "delay-1ms": "onset",
    "transposed": "no current where there is no synapse",
    "input-late": "input: onset",
    "readout-filter": "readout of a single spike",
    "sign-flipped": "peak",
}
# Those that only the exact level can see: there each simulator computes the readouts itself.
OF_READOUTS = [fault for fault in FAULTS if FAULTS[fault].of_readouts]
OTHERS = [fault for fault in FAULTS if fault not in OF_READOUTS]
# A few of those that move rates or readouts, small ones among them; `data/faults.csv` has them all.
SEEN_IN_STATISTICS = ("weights-0.95", "transposed", "decays-averaged", "sign-flipped")


def quiet(_what, _fraction):
    pass


# A fault is one of the network that is run: of other backends one is enough.
@pytest.mark.parametrize(
    ("fault", "backend"), [*((fault, "reference") for fault in FAULTS), ("delay-1step", "snntorch")]
)
def test_the_exact_level_sees_every_fault(fault, backend):
    network = longer_steps_network()
    found = bridge.compare(
        network, backends=["reference", backend], drive=drive_for(network, 15), inject=fault
    )
    assert not found.agreed
    assert found.labels == ("reference", f"{backend} with {fault}")
    assert found.fault == FAULTS[fault].meaning


@pytest.mark.parametrize("fault", OF_READOUTS)
def test_a_fault_of_computed_readouts_moves_nothing_else(fault):
    network = longer_steps_network()
    drive = drive_for(network, 6)
    given = {"backends": ["reference", "snntorch"], "drive": drive}
    healthy = bridge.compare(network, **given).exact[0]
    found = bridge.compare(network, **given, inject=fault).exact[0]
    assert healthy.agreed
    assert healthy.computed.difference == 0.0
    # Sums of rounded products in two orders; see `tests/spiking/test_computed_readouts.py`.
    assert healthy.computed.from_decoded < 1e-12 * healthy.largest_output
    assert (found.identical, found.readout_difference) == (True, 0.0)
    assert found.computed.difference > 1e-4 * found.largest_output
    for levels in (["probe"], ["exact", "probe"]):
        with pytest.raises(SpecError, match=f"fault {fault}: only on the exact level"):
            bridge.compare(network, **given, inject=fault, levels=levels)


def test_a_network_without_a_decoded_readout_computes_none():
    network = replace(longer_steps_network(), readouts=())
    given = {"backends": ["reference", "snntorch"], "drive": drive_for(network, 4)}
    assert bridge.compare(network, **given).exact[0].computed is None
    with pytest.raises(SpecError, match="this network computes no readouts"):
        bridge.compare(network, **given, inject="readout-late")


# Another backend of the same bits is probed by the same network and drive.
@pytest.mark.parametrize(
    ("fault", "backend"), [*((fault, "reference") for fault in OTHERS), ("delay-1step", "snntorch")]
)
def test_the_probes_see_every_fault_and_name_what_is_wrong(fault, backend):
    side = Side(backend, backend, fault=find_fault(fault))
    report = run_probes(longer_steps_network(), side, 0, quiet)
    wrong = [finding.quantity for finding in report.findings if not finding.passed]
    assert any(PROBED[fault] in quantity for quantity in wrong), wrong


def spikes_alone():
    """The network of several inputs without its analog ones, and its drive."""
    network, given = several_inputs(), drive()
    spiking = [part for part in network.projections if not network.is_analog(part.source)]
    alone = replace(network, projections=spiking, inputs=network.spiking_inputs(), input_size=0)
    return alone, replace(given, inputs=given.inputs[:, :, :0])


def test_spikes_of_inputs_that_come_late_are_seen_and_explained():
    network, given = spikes_alone()
    _, late = FAULTS["input-late"].change(network, given)
    for name, before in given.spikes.items():
        # All but those of the last step.
        expected = np.sort(before.step[before.step < before.n_steps - 1]) + 1
        np.testing.assert_array_equal(np.sort(late.spikes[name].step), expected)
    found = bridge.compare(
        network, backends=["reference", "reference"], drive=given, inject="input-late"
    )
    (exact,) = found.exact
    assert exact.differing
    assert "late" in exact.explanation.quantity or "current" in exact.explanation.quantity


@pytest.mark.parametrize("fault", ["weights-0.95", "delay-1step", "sign-flipped"])
def test_faults_between_populations_leave_named_inputs_alone(fault):
    network = several_inputs()
    changed, _ = FAULTS[fault].change(network, drive())
    for before, after in zip(network.projections, changed.projections, strict=True):
        if network.is_input(before.source):
            assert after is before


@pytest.mark.slow
@pytest.mark.parametrize("fault", SEEN_IN_STATISTICS)
def test_the_statistical_level_sees_what_moves_rates_or_readouts(fault):
    # Over three seeds p is at most 0.0003 of each.
    network = longer_steps_network(size=40, seed=3)
    found = bridge.compare(
        network,
        backends=["compiled", "compiled"],
        levels=["statistical"],
        drive=drive_for(network, 40, trials=24),
        inject=fault,
    )
    assert not found.agreed
    assert found.statistical[0].p < 0.01


CANNOT_HAVE = {
    "two channels": ("refractory-0", "decays-averaged", "decays-presynaptic", "noise-0.8"),
    "two populations": ("decays-averaged", "decays-presynaptic"),
}


def content(network, drive, folder):
    """The checksum over all numbers of a network, and that of its drive."""
    sums = []
    for thing in (network, drive):
        with h5py.File(bridge.save(thing, folder / "thing.h5", force=True)) as file:
            sums.append(file.attrs["checksum"])
    return sums


def test_transposing_symmetric_weights_is_no_fault():
    network = kim_network()
    recurrent = network.projections[0]
    even = np.asarray(recurrent.weights) + np.asarray(recurrent.weights).T
    symmetric = replace(network, projections=[replace(recurrent, weights=even)], input_size=0)
    with pytest.raises(SpecError, match="this network has symmetric weights"):
        FAULTS["transposed"].change(symmetric, drive_for(symmetric, 4))


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("fault", OTHERS)
def test_a_fault_changes_what_is_run_or_says_that_it_cannot(name, fault, tmp_path):
    make, _ = NETWORKS[name]
    network = make()
    drive = drive_for(network, 4)
    if fault in CANNOT_HAVE.get(name, ()):
        with pytest.raises(SpecError, match="this network"):
            FAULTS[fault].change(network, drive)
        return
    changed, driven = FAULTS[fault].change(network, drive)
    assert content(changed, driven, tmp_path) != content(network, drive, tmp_path)
    assert changed.size == network.size
    assert driven.inputs.shape == drive.inputs.shape


def test_a_late_input_is_the_input_of_one_step_before_whatever_the_offset():
    for network in (kim_network(), two_population_network(), two_channel_network()):
        drive = drive_for(network, 6)
        late, driven = FAULTS["input-late"].change(network, drive)
        # With no offset to take a step from, the last sample is the one before, held.
        for step in range(1, 5 * network.sample_steps):
            now = driven.inputs[late.input_sample(step, 6)]
            before = drive.inputs[network.input_sample(step - 1, 6)]
            np.testing.assert_array_equal(now, before)


def test_the_unit_whose_sign_is_flipped_is_the_one_with_the_largest_weights():
    network = kim_network()
    flipped, _ = FAULTS["sign-flipped"].change(network, drive_for(network, 4))
    was, now = (np.asarray(each.projections[0].weights) for each in (network, flipped))
    changed = np.flatnonzero((was != now).any(axis=0))
    assert changed.tolist() == [int(np.argmax(np.abs(was).sum(axis=0)))]
    np.testing.assert_array_equal(now[:, changed], -was[:, changed])


def test_a_fault_that_a_network_cannot_have_is_refused_before_anything_runs():
    network = two_channel_network()
    with pytest.raises(SpecError, match="this network has no noise"):
        bridge.compare(
            network,
            backends=["reference", "reference"],
            drive=drive_for(network, 4),
            inject="noise-0.8",
        )


def test_faults_change_factored_weights_as_their_product():
    rng = np.random.default_rng(1)
    weights = Factored(left=rng.normal(0, 1, (30, 2)), right=rng.normal(0, 1, (2, 30)))
    whole = kim_network()
    recurrent, stimulus = whole.projections
    network = replace(whole, projections=[replace(recurrent, weights=weights), stimulus])
    dense = replace(recurrent, weights=weights.left @ weights.right)
    product = replace(whole, projections=[dense, stimulus])
    for name in ("weights-0.95", "transposed", "sign-flipped", "delay-1step"):
        (found, _), (expected, _) = (
            find_fault(name).change(each, drive_for(each, 2)) for each in (network, product)
        )
        made, wanted = found.projections[0], expected.projections[0]
        np.testing.assert_allclose(made.weights.left @ made.weights.right, wanted.weights)
        assert made.delay_steps == wanted.delay_steps


def test_an_unknown_fault_is_refused():
    with pytest.raises(SpecError, match="unknown fault 'gremlin'; known are refractory-1ms"):
        find_fault("gremlin")


def test_probes_run_what_a_fault_cannot_touch_as_it_is():
    network = kim_network()
    side = Side("reference", "reference", fault=find_fault("transposed"))
    alone = replace(network, projections=network.projections[1:])
    drive = drive_for(alone, 4)
    whole = side.run_probe(alone, drive)
    assert whole.spikes.count == replace(side, fault=None).run(alone, drive).spikes.count
    with pytest.raises(SpecError, match="no projection"):
        side.run(alone, drive)


def test_without_a_fault_all_levels_agree():
    network = longer_steps_network(size=20, seed=3)
    sides = ["reference", "snntorch", "snntorch:cpu"]
    found = bridge.compare(
        network,
        backends=sides,
        levels=["exact", "probe", "statistical"],
        drive=drive_for(network, 12, trials=14),
    )
    assert found.agreed
    assert len(found.exact) == len(found.statistical) == 2
    # Each is held against the same two runs of the first.
    one, other = (each.sets for each in found.statistical)
    assert (one[0] is other[0], one[1] is other[1], one[2] is other[2]) == (True, True, False)
    assert [report.label for report in found.probes] == sides


@pytest.mark.parametrize("size", [1.0, 1e-11])
def test_whether_a_product_is_symmetric_does_not_hang_on_its_size(size):
    left = size * np.array([[1.0], [2.0]])
    assert asymmetric(Factored(left=left, right=[[1.0, 3.0]]))
    assert not asymmetric(Factored(left=left, right=left.T))
