"""Where the work of a study is done: processes of this machine, or a Dask cluster."""

import multiprocessing
import os
import re
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from bridge.errors import BackendError

_PATIENCE_S = 10
_ADDRESS = re.compile(r"((tcp|tls|ws|wss|ucx)://)?(\[[0-9a-fA-F:]+\]|[^\s:/]+):\d{1,5}")


@contextmanager
def workers(scheduler: str | None, processes: int, device: str) -> Iterator[tuple[Executor, int]]:
    """What runs functions elsewhere, and how many at once.

    Left early, it gives up the work that is not done.

    Args:
        scheduler: Address of a Dask scheduler; None: processes of this machine.
        processes: How many, on this machine.
        device: Where networks run; each worker of a cluster must see it.

    Raises:
        BackendError: no scheduler answers there, or its workers are not fit for this.
    """
    if scheduler is None:
        with _local(processes) as executor:
            yield executor, processes
    else:
        with _cluster(scheduler, device) as (executor, count):
            yield executor, count


@contextmanager
def _local(processes: int) -> Iterator[Executor]:
    # Spawned, not forked: torch and Brian2 do not survive a fork with their threads.
    context = multiprocessing.get_context("spawn")
    before = set(multiprocessing.active_children())
    executor = ProcessPoolExecutor(processes, mp_context=context, initializer=_begin)
    finished = False
    try:
        yield executor
        finished = True
    finally:
        executor.shutdown(wait=finished, cancel_futures=True)
        if not finished:
            for child in set(multiprocessing.active_children()) - before:
                child.terminate()


def _begin() -> None:
    """Make this process end with the one that started it, however that ends."""

    def follow() -> None:
        parent = multiprocessing.parent_process()
        if parent is not None:
            parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


@contextmanager
def _cluster(address: str, device: str) -> Iterator[tuple[Executor, int]]:
    try:
        distributed: Any = import_module("distributed")
    except ImportError:
        raise BackendError("a scheduler needs Dask: pip install 'spikebridge[cluster]'") from None
    if not _ADDRESS.fullmatch(address):
        raise BackendError(
            f"scheduler {address!r}: expected an address as dask scheduler prints it, "
            "tcp://HOST:PORT"
        )
    try:
        client = distributed.Client(address, timeout=_PATIENCE_S, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise BackendError(f"no Dask scheduler answers at {address} ({error})") from None
    try:
        count = _check_cluster(client, address)
        for name, lacks in client.run(_lacks, device).items():
            if lacks:
                raise BackendError(f"the Dask worker {name}: {lacks}")
        # A worker that dies takes its work with it; Dask gives it to another.
        yield client.get_executor(pure=False), count
    finally:
        client.close()


def cluster_errors() -> tuple[type[Exception], ...]:
    """What a piece of work ends with when the cluster, and not the work, has failed."""
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return ()
    return (distributed.KilledWorker, distributed.comm.CommClosedError)


def _check_cluster(client: Any, address: str) -> int:
    """How many workers there are, if they are fit for this."""
    found = client.scheduler_info(n_workers=-1)["workers"]
    if not found:
        raise BackendError(f"the Dask scheduler at {address} has no workers")
    several = [name for name, worker in found.items() if worker["nthreads"] > 1]
    if several:
        # torch's settings hold for a whole process.
        raise BackendError(
            f"the Dask worker {several[0]} runs several threads; start workers with --nthreads 1"
        )
    for name, there in client.run(_version).items():
        if there != _version():
            raise BackendError(f"the Dask worker {name} has spikebridge {there or 'not'} installed")
    return len(found)


def _lacks(device: str) -> str:
    """Why networks cannot run on a device here; "" where they can."""
    from bridge.backends.devices import torch_device

    try:
        torch_device(device)
    except BackendError as error:
        return str(error)
    return ""


def _version() -> str:
    try:
        return version("spikebridge")
    except PackageNotFoundError:
        return ""
