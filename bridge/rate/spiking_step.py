"""The step of spiking networks, which the step of a rate network must be a multiple of."""

from bridge.errors import SpecError

# SI of Kim et al. 2019, as the authors' code has it.
DT_MS = 0.05


def spiking_steps(dt_ms: float) -> int:
    """How many steps of a spiking network make one of a rate network.

    Raises:
        SpecError: no whole number of them does, so that no spiking network can follow it.
    """
    steps = round(dt_ms / DT_MS)
    if steps < 1 or abs(steps * DT_MS - dt_ms) > 1e-9:
        near = max(steps, 1) * DT_MS
        raise SpecError(
            f"the rate network's step of {dt_ms:g} ms is not a multiple of {DT_MS} ms, the step of "
            f"spiking networks: {near:g} ms is the nearest"
        )
    return steps
