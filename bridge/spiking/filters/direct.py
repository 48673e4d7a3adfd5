"""No filter."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from bridge.spiking.filters.filter import Array, Filter
from bridge.spiking.operations import Operations


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Direct(Filter):
    """No filter: what arrives in a step acts for one step (the analog input acts at once)."""

    kind = "direct"
    title = "Direct"
    format_version = 1
    states = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        # Without a time constant both sides are the same.
        object.__setattr__(self, "side", "post")

    def constants(self, dt_ms: float) -> dict[str, Array]:
        return {}

    def response(self, dt_ms: float, steps: int) -> Array:
        return np.asarray(np.arange(max(0, steps))[:, None] == 0, dtype=np.float64)

    def shape_ms(self) -> float:
        return 0.0

    def decay(self, ops: Operations, state: Any, constant: Any) -> dict[str, Any]:
        return {}
