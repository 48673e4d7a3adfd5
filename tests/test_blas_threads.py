"""Small products run on one thread, large ones on as many as there were."""

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import bridge
from bridge.blas_threads import LARGE_PRODUCT, threads_for


def _threads() -> list[int]:
    return [each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"]


@pytest.fixture
def two_threads():
    with threadpool_limits(2, "blas"):
        yield


@pytest.mark.usefixtures("two_threads")
def test_small_products_have_one_thread_and_leave_the_others_as_they_were():
    before = _threads()
    with threads_for(1e4):
        assert set(_threads()) == {1}
    assert _threads() == before


@pytest.mark.usefixtures("two_threads")
def test_large_products_keep_their_threads():
    before = _threads()
    with threads_for(LARGE_PRODUCT):
        assert _threads() == before


@pytest.mark.usefixtures("two_threads")
def test_a_rate_network_runs_on_one_thread(monkeypatch):
    seen = []

    def looking(x):
        seen.append(set(_threads()))
        return x

    monkeypatch.setattr(bridge.RateNetwork, "phi", property(lambda _: looking))
    network = bridge.RateNetwork(
        recurrent=np.eye(3), w_in=np.ones((3, 1)), w_out=np.ones((1, 3)), b_out=[0.0], tau_ms=50.0
    )
    network.run(np.zeros((3, 2, 1)), None)
    assert seen[1:] == [{1}, {1}]
