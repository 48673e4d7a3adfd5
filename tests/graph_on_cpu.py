"""What a CUDA graph does, done on the CPU: operations are noted once, and repeated as they were.

Like a graph, it knows no Python: numbers, branches and new tensors are those of when it was made,
and what looks at a number, or brings one from Python, is refused.
"""

import sys
from functools import partial

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from bridge.backends import cuda_graphs
from bridge.backends.snntorch import events, simulation, sums
from bridge.rate import training_run, update

# Of tests that run on a GPU where there is one, and otherwise on what stands in for it.
PLACES = [
    "cpu",
    pytest.param(
        "cuda", marks=pytest.mark.skipif(not torch.cuda.device_count(), reason="no CUDA device")
    ),
]
_REFUSED = (torch.ops.aten._local_scalar_dense.default, torch.ops.aten.lift_fresh.default)


class _Noting(TorchDispatchMode):
    """Notes each operation with the very tensors that it was given and gave."""

    def __init__(self):
        super().__init__()
        self.noted, self.made, self.before = [], set(), {}

    def __torch_dispatch__(self, operation, types, given=(), named=None):
        if operation in _REFUSED:
            raise RuntimeError(f"operation not permitted when stream is capturing: {operation}")
        named = named or {}
        taken = {each.untyped_storage().data_ptr(): each for each in tensors((given, named))}
        for place, each in taken.items():
            if place not in self.made and place not in self.before:
                storage = each.untyped_storage()
                self.before[place] = (storage, storage.clone())
        made = operation(*given, **named)
        fresh = [each for each in tensors(made) if _place(each) not in taken]
        self.made |= {_place(each) for each in fresh}
        # Not the tensors themselves, which know by what they were computed and keep it.
        self.noted.append(tree_map(_seen, (operation, given, named, made)))
        return made

    def undo(self):
        """Nothing has been done while a graph is made."""
        for storage, before in self.before.values():
            storage.copy_(before)


def tensors(of):
    return [each for each in tree_leaves(of) if isinstance(each, torch.Tensor)]


def _seen(each):
    return each.detach() if isinstance(each, torch.Tensor) else each


def _place(tensor):
    return tensor.untyped_storage().data_ptr()


def captured(work, _device=None):
    """As `bridge.backends.cuda_graphs.captured`."""
    noting = _Noting()
    with noting:
        work()
    noting.undo()
    return partial(_repeat, [_repeated(*each) for each in noting.noted])


def _repeated(operation, given, named, made):
    """What is called, and the tensors that its results go to: those that were new."""
    taken = {_place(each) for each in tensors((given, named))}
    places = [None if _place(each) in taken else each for each in tensors(made)]
    new = any(place is not None for place in places)
    return partial(operation, *given, **named), places if new else None


def stand_in(monkeypatch):
    """Let training and snnTorch take the CPU for a GPU; the graphs that they make from then on."""
    graphs = []

    def noted(work, device):
        graphs.append(captured(work))
        return graphs[-1]

    for module in (simulation, update, training_run):
        monkeypatch.setattr(module, "in_graphs", lambda _: True)
    monkeypatch.setattr(cuda_graphs, "captured", noted)
    # Adam itself takes tensors of a CPU for steps that a graph can count, and says it does not.
    adam = sys.modules[torch.optim.Adam.__module__]
    monkeypatch.setattr(adam, "_get_capturable_supported_devices", lambda: ["cpu"])
    # Elsewhere sums may run in any order, and spikes are looked for where they lie.
    monkeypatch.setattr(sums, "_in_order", lambda _: False)
    monkeypatch.setattr(
        events.EventFinder, "events", lambda finder: events.events_there(finder.neurons.fired)
    )
    return graphs


@torch.no_grad()
def _repeat(noted):
    for call, places in noted:
        again = call()
        if places is None:
            continue
        for old, new in zip(places, tensors(again), strict=True):
            if old is not None:
                old.copy_(new)
