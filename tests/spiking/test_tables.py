"""A recording as tables: what stands in a row is counted by hand here."""

import sys

import numpy as np
import pytest

from bridge.errors import BackendError, SpecError
from bridge.spiking.recording import Recording, Spikes

# (trial, step, neuron): neuron 0 fires after 10, 20, 30 steps in trial 0, neuron 3 once in each.
EVENTS = [(0, 5, 3), (0, 10, 0), (0, 20, 0), (0, 40, 0), (0, 70, 0), (1, 6, 3), (2, 0, 1)]


def recording(**fields):
    given = {
        "spikes": Spikes.gather(*np.transpose(EVENTS), (3, 100, 4)),
        "readouts": {}, "dt_ms": 0.5, "sample_ms": 5.0, "populations": {"exc": 3, "inh": 1},
    }  # fmt: skip
    return Recording(**{**given, **fields})


def conditions():
    return {"labels": np.array([1, 0, 1]), "conditions": ("go", "stop", "never shown")}


def test_a_spike_is_a_row():
    table = recording().to_pandas()
    assert list(table) == ["trial", "time_ms", "neuron", "population", "index_in_population"]
    rows = list(table.itertuples(index=False, name=None))
    assert rows == [
        (trial, 0.5 * step, neuron, "inh" if neuron == 3 else "exc", neuron % 3)
        for trial, step, neuron in EVENTS
    ]


def test_the_condition_of_a_spike_is_its_trials():
    table = recording(**conditions()).to_pandas("spikes")
    assert list(table["condition"]) == ["stop"] * 5 + ["go", "stop"]
    assert list(table["condition"].cat.categories) == ["go", "stop", "never shown"]


def test_a_neuron_is_a_row():
    table = recording().to_pandas("neurons")
    assert list(table["neuron"]) == [0, 1, 2, 3]
    assert list(table["population"]) == ["exc", "exc", "exc", "inh"]
    assert list(table["index_in_population"]) == [0, 1, 2, 0]
    assert list(table["spikes"]) == [4, 1, 0, 2]
    # Three trials of 50 ms.
    assert list(table["rate_hz"]) == pytest.approx([4 / 0.15, 1 / 0.15, 0, 2 / 0.15])
    assert list(table["silent"]) == [False, False, True, False]
    # Intervals of 5, 10 and 15 ms.
    assert table["cv_isi"][0] == pytest.approx(np.std([5, 10, 15]) / 10)
    assert table["cv_isi"][1:].isna().all()


def test_a_neuron_has_a_rate_in_each_condition():
    table = recording(**conditions()).to_pandas("neurons")
    assert list(table["rate_hz_go"]) == pytest.approx([0, 0, 0, 1 / 0.05])
    assert list(table["rate_hz_stop"]) == pytest.approx([4 / 0.1, 1 / 0.1, 0, 1 / 0.1])
    assert table["rate_hz_never shown"].isna().all()


def test_a_silent_recording_has_no_spikes_and_all_its_neurons():
    silent = recording(spikes=Spikes.gather([], [], [], (3, 100, 4)))
    assert len(silent.to_pandas()) == 0
    assert list(silent.to_pandas("neurons")["silent"]) == [True] * 4


def test_tables_of_other_rows_are_refused():
    with pytest.raises(SpecError, match="expected 'spikes' or 'neurons', got 'trials'"):
        recording().to_pandas("trials")


def test_without_pandas_the_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(BackendError, match=r"pip install 'spikebridge\[analysis\]'"):
        recording().to_pandas()
