"""Recordings of other tools' writers: the right value or one clear sentence, whatever is drawn.

`python data/foreign_recordings.py` tries two thousand of each.
"""

import numpy as np
import pytest
from exchange.foreign_nwb import draw_nwb
from exchange.foreign_recordings import outcome
from exchange.foreign_sonata import draw_sonata

DRAWERS = {"nwb": draw_nwb, "sonata": draw_sonata}
FILES = 100


@pytest.mark.parametrize("kind", DRAWERS)
def test_what_other_writers_make_is_read_right_or_refused_by_name(kind, tmp_path):
    outcomes = {}
    for seed in range(FILES):
        path = tmp_path / f"{seed}.h5"
        drawn = DRAWERS[kind](np.random.default_rng(seed), path)
        outcomes[seed] = outcome(drawn, path)
    wrong = {seed: said for seed, said in outcomes.items() if said not in ("read", "refused")}
    assert not wrong
    assert min(list(outcomes.values()).count(each) for each in ("read", "refused")) > 20
