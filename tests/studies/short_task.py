"""A task of 60 ms, for studies in processes that know nothing of this one."""

import dataclasses

import bridge
from bridge.tasks.go_nogo import GoNoGo


@dataclasses.dataclass(frozen=True, kw_only=True)
class Short(GoNoGo):
    steps: int = 12
    stimulus_start: int = 2
    stimulus_stop: int = 4
    spiking_window_start: int = 6
    name: str = "short"


bridge.register_task(Short())
