"""A changed NIR file is read as a network that runs, or refused in one sentence."""

from collections import Counter

import pytest
from exchange.nir.mutants import fates


def check(folder, count):
    found = list(fates(folder, range(count)))
    assert not [each for each in found if each[1] not in ("refused", "read")]
    counts = Counter(fate for _, fate in found)
    # One that is never refused, or always, would show nothing.
    assert counts["refused"] > 0.3 * count
    assert counts["read"] > 0.05 * count


def test_a_changed_nir_file_is_a_network_or_a_sentence(tmp_path):
    check(tmp_path, 40)


@pytest.mark.full
def test_thousands_of_them_are(tmp_path):
    check(tmp_path, 5000)
