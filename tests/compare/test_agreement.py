import json
import re
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from conftest import (
    drive_for,
    go_nogo_network,
    longer_steps_network,
    two_channel_network,
    two_population_network,
)

import bridge
from bridge.backends import simulate
from bridge.compare import gate as gate_module
from bridge.compare.exactness import compare_exactly
from bridge.compare.faults import FAULTS
from bridge.compare.report.outcome import outcome
from bridge.compare.sides import parse_backend
from bridge.compare.statistics.comparison import PILOT_TRIALS, Plan
from bridge.errors import SpecError
from bridge.spiking.recording import Spikes


@pytest.fixture(scope="module")
def recorded():
    network = two_population_network()
    drive = drive_for(network, 80, trials=3)
    return network, drive, simulate(network, drive, voltages=True, margins=True)


def moved(recording, index, steps):
    """The recording with one spike some steps later."""
    spikes = recording.spikes
    step = np.array(spikes.step)
    step[index] += steps
    shape = (spikes.n_trials, spikes.n_steps, spikes.n_neurons)
    return replace(recording, spikes=Spikes.gather(spikes.trial, step, spikes.neuron, shape))


def test_equal_recordings_are_identical_and_certified(recorded):
    network, _, recording = recorded
    found = compare_exactly(network, ("a", "b"), recording, recording)
    assert found.identical
    assert found.certified
    assert found.first is None
    assert found.spikes == (recording.spikes.count,) * 2
    assert found.largest_difference_mv == 0
    assert found.margin_mv == np.min(recording.margins_mv) > 0


def test_a_moved_spike_is_found_where_it_is(recorded):
    network, _, recording = recorded
    spikes = recording.spikes
    index = spikes.count // 2
    found = compare_exactly(network, ("a", "b"), recording, moved(recording, index, 1))
    assert not found.identical
    assert not found.certified
    assert found.differing == 2
    assert found.first.fired_in == "a"
    assert (found.first.trial, found.first.step) == (spikes.trial[index], spikes.step[index])
    neuron = int(spikes.neuron[index])
    name, offset = ("exc", 0) if neuron < 20 else ("inh", 20)
    assert found.first.unit == f"{name}[{neuron - offset}]"
    assert found.first.time_ms == pytest.approx(spikes.step[index] * 0.1)


def test_the_first_difference_is_the_earliest_in_time_over_all_trials(recorded):
    network, _, recording = recorded
    steps = np.asarray(recording.spikes.step)
    trials = np.asarray(recording.spikes.trial)
    late = int(np.flatnonzero((trials == 0) & (steps > 500))[0])
    early = int(np.flatnonzero((trials == 2) & (steps > 100))[0])
    found = compare_exactly(
        network, ("a", "b"), recording, moved(moved(recording, late, 1), early, 1)
    )
    assert found.first.trial == 2


def test_agreement_without_certificate_is_possible(recorded):
    network, _, recording = recorded
    off = replace(recording, voltages_mv=np.asarray(recording.voltages_mv) + 1.0)
    found = compare_exactly(network, ("a", "b"), recording, off)
    assert found.identical
    assert not found.certified


def test_recordings_of_different_trials_are_not_compared(recorded):
    network, drive, recording = recorded
    fewer = simulate(network, drive.trials(0, 2))
    with pytest.raises(SpecError, match="different shapes"):
        compare_exactly(network, ("a", "b"), recording, fewer)


@pytest.fixture(scope="module")
def agreement(recorded):
    network, drive, _ = recorded
    return bridge.compare(network, backends=["reference", "snntorch"], drive=drive, seed=1)


def test_two_backends_agree_under_the_same_noise(agreement):
    assert agreement.agreed
    assert not agreement.probes
    assert not agreement.statistical
    assert agreement.frozen["reference"].spikes.count == agreement.exact[0].spikes[1] > 0


@pytest.fixture(scope="module")
def whole(recorded):
    network, _, _ = recorded
    # In longer steps the probes take fewer of them.
    network = replace(network, dt_ms=0.4)
    drive = drive_for(network, 40, trials=12)
    levels = ["exact", "probe", "statistical"]
    return bridge.compare(
        network,
        backends=["reference", "snntorch"],
        drive=drive,
        seed=1,
        levels=levels,
        on_progress=lambda part, fraction: TOLD.append((part, fraction)),
    )


# The progress of that comparison.
TOLD: list[tuple[str, float]] = []


def test_each_part_of_a_comparison_is_known_beforehand_and_comes_to_its_end(whole):
    assert whole.agreed
    fractions = [fraction for _, fraction in TOLD]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    parts = [re.fullmatch(r"part (\d+) of 10: (.+), (\d+)%", part) for part, _ in TOLD]
    assert all(parts)
    ended = {int(part[1]): part[2] for part in parts if part[3] == "100"}
    assert sorted(ended) == list(range(1, 11))
    assert len(set(ended.values())) == 10


def test_under_noise_of_their_own_spikes_differ_and_nothing_else(whole):
    (found,) = whole.statistical
    a, again, b = (each.spikes.codes() for each in found.sets)
    assert not np.array_equal(a, again)
    assert not np.array_equal(a, b)
    assert whole.agreed
    assert set(whole.statistics()["mean rate (Hz)"]) == {"reference", "snntorch"}


def test_the_levels_are_those_that_both_sides_can_be_held_to():
    network = longer_steps_network(12)
    drive = drive_for(network, 10, trials=8)
    found = bridge.compare(network, backends=["reference", "snntorch:float32"], drive=drive)
    assert not found.exact
    assert len(found.statistical) == 1
    assert [report.label for report in found.probes] == ["reference", "snntorch:float32"]
    with pytest.raises(SpecError, match="snntorch:float32 does not claim the same spikes"):
        bridge.compare(
            network, backends=["reference", "snntorch:float32"], drive=drive, levels=["exact"]
        )


def test_without_noise_statistics_say_nothing():
    network = two_channel_network()
    drive = drive_for(network, 50, trials=8)
    with pytest.raises(SpecError, match="this network has no noise"):
        bridge.compare(
            network, backends=["reference", "snntorch"], drive=drive, levels=["statistical"]
        )
    found = bridge.compare(network, backends=["reference", "snntorch:float32"], drive=drive)
    assert not found.statistical
    assert found.probes


@pytest.mark.usefixtures("as_users_have_it")
def test_as_many_trials_are_run_as_the_promise_takes():
    network = go_nogo_network()

    def found(effect):
        plan = Plan(effect=effect, power=0.5, alpha=0.2)
        sides = ["compiled", "compiled:float32"]
        whole = bridge.compare(network, backends=sides, levels=["statistical"], plan=plan)
        return whole.statistical[0]

    easy = found(0.5)
    assert easy.trials == PILOT_TRIALS
    # Two thirds of what the pilot finds: about (3/2)^2 times as many trials.
    hard = found(easy.effect / 1.5)
    assert PILOT_TRIALS * 1.5 < hard.trials < PILOT_TRIALS * 4
    # The promise is held by what was run, but for what B's trials tell otherwise than A's and A''s.
    assert hard.effect <= easy.effect / 1.5 * 1.15


def test_everything_is_there_for_programs_too(whole, tmp_path):
    page, machine, *_ = bridge.report(whole, tmp_path / "page.html")
    told = json.loads(machine.read_text(), parse_constant=pytest.fail)
    assert (told["format"], told["format_version"]) == ("spikebridge-agreement", 1)
    assert told["agreed"] is True
    assert told["verdict"] in page.read_text()
    assert told["exact"][0]["differing"] == 0
    assert told["exact"][0]["certified"] is True
    assert {part["name"] for part in told["statistical"][0]["quantities"]} == {
        "firing rate", "interval variability (LV)", "firing rate in bins", "readout in bins",
    }  # fmt: skip
    assert all(f["passed"] for probe in told["probes"] for f in probe["findings"])


def test_of_three_it_is_said_who_was_held_to_what(monkeypatch):
    network = longer_steps_network(12)
    drive = drive_for(network, 10, trials=12)
    sides = ["reference", "snntorch", "snntorch:float32"]
    said = outcome(bridge.compare(network, backends=sides, drive=drive)).verdict
    assert said.startswith("Agree: reference and snntorch fired the same ")
    assert "; reference and snntorch:float32 meet " in said
    assert "; they differ in 12 trials under noise of their own" in said
    load = bridge.backends.load

    def faulty(network, drive, **options):
        if options.get("dtype") == "float32":
            with suppress(SpecError):
                network, drive = FAULTS["refractory-0"].change(network, drive)
        return load("snntorch")(network, drive, **options)

    monkeypatch.setattr(
        bridge.backends, "load", lambda name: faulty if name == "snntorch" else load(name)
    )
    said = outcome(bridge.compare(network, backends=sides, drive=drive)).verdict
    assert said.startswith("Disagree: snntorch:float32 differs from formulas on the probe level: ")
    assert "snntorch and" not in said.replace("reference and snntorch:float32", "")


def test_more_trials_than_are_run_by_default_are_run_where_a_plan_says_so(monkeypatch):
    monkeypatch.setattr(gate_module, "MOST_TRIALS", 13)
    network = go_nogo_network()
    found = bridge.compare(
        network,
        backends=["compiled", "compiled:float32"],
        levels=["statistical"],
        plan=Plan(trials=14),
    )
    assert found.statistical[0].trials == 14


def test_a_report_called_like_its_data_is_refused(whole, tmp_path):
    with pytest.raises(bridge.BridgeError, match=r"call it \.html"):
        bridge.report(whole, tmp_path / "page.json")


def test_a_faulty_backend_is_caught(recorded, monkeypatch):
    network, drive, _ = recorded

    def faulty(network, drive, **options):
        # Every synapse one step late.
        late = [
            p if p.source == "input" else replace(p, delay_steps=p.delay_steps + 1)
            for p in network.projections
        ]
        return simulate(replace(network, projections=late), drive, **options)

    load = bridge.backends.load
    monkeypatch.setattr(
        bridge.backends, "load", lambda name: faulty if name == "snntorch" else load(name)
    )
    found = bridge.compare(network, backends=["reference", "snntorch"], drive=drive)
    assert not found.agreed
    assert found.exact[0].differing > 0


def test_the_report_is_one_page_with_pictures(agreement, tmp_path):
    written = bridge.report(agreement, tmp_path / "page.html")
    text = written[0].read_text()
    assert "Agree: reference and snntorch fired the same" in text
    assert "http" not in text.replace("http-equiv", "")
    assert written[1] == tmp_path / "page.json"
    # It has two populations: they are drawn, too.
    names = ["rasters.svg", "readouts.svg", "rates.svg", "network.svg"]
    assert [path.name for path in written[2:]] == names
    assert all(path.read_text().startswith("<?xml") for path in written[2:])
    with pytest.raises(bridge.BridgeError, match="exists already"):
        bridge.report(agreement, tmp_path / "page.html")


@pytest.mark.parametrize(
    ("backends", "message"),
    [
        (["reference"], "name at least two different ones"),
        (["reference", "reference"], "name at least two different ones"),
        (["reference", "neuron"], "unknown backend 'neuron'"),
        (["reference:fast", "snntorch"], "backend reference takes no option"),
        (["reference", "snntorch:tpu"], "unknown device 'tpu'"),
        (["reference", "snntorch", "snntorch"], "name at least two different ones"),
    ],
)
def test_a_comparison_that_makes_no_sense_is_refused(recorded, backends, message):
    network, drive, _ = recorded
    with pytest.raises(SpecError, match=message):
        bridge.compare(network, backends=backends, drive=drive)


def test_no_level_at_all_is_no_agreement(recorded):
    network, drive, _ = recorded
    with pytest.raises(SpecError, match="levels: name at least one"):
        bridge.compare(network, backends=["reference", "snntorch"], drive=drive, levels=[])


def test_a_network_without_a_task_needs_a_drive(recorded):
    with pytest.raises(SpecError, match="names no task"):
        bridge.compare(recorded[0], backends=["reference", "snntorch"])


def test_backends_are_named_with_their_target_or_device():
    assert parse_backend("brian2:numpy") == ("brian2", {"target": "numpy"})
    assert parse_backend("snntorch:float32") == ("snntorch", {"dtype": "float32"})
    assert parse_backend("snntorch:cuda:1") == ("snntorch", {"device": "cuda:1"})
    assert parse_backend("reference") == ("reference", {})
