"""How connections obey Dale's law, checked."""

from dataclasses import dataclass

from bridge.arguments import number
from bridge.errors import SpecError
from bridge.spiking.arrays import counted


@dataclass(frozen=True, kw_only=True)
class DaleOptions:
    """How connections obey Dale's law; shares as in the authors' public code of 2019.

    Attributes:
        excitatory: Share of the neurons, the first ones, whose weights are not negative; those of
            all others are not positive.
        connected: Share of all possible connections that there may be.
        trials: Trials of the network on its own that are recorded.
        ridge: Added to the variance of each filtered spike train, as a share of it.
        test_trials: Trials by which the new network is judged.
        draws: So many networks are made, each of whose neurons choose among others drawn anew, and
            the one with the least median error stays (or, where no trial has an error, with most
            right answers). With some draws it soon loses its pattern, though the currents are as
            good.
        seed: Decides among which neurons each may choose; each further draw has the next one.
    """

    excitatory: float = 0.5
    connected: float = 0.4
    trials: int = 200
    ridge: float = 1e-7
    test_trials: int = 100
    draws: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("excitatory", "connected"):
            if not 0 < number(name, getattr(self, name)) <= 1:
                raise SpecError(f"{name}: must lie above 0 and up to 1, got {getattr(self, name)}")
        if number("ridge", self.ridge) <= 0:
            raise SpecError(f"ridge: must be positive, got {self.ridge}")
        for name in ("trials", "test_trials", "draws"):
            counted(name, getattr(self, name), least=1)
        counted("seed", self.seed)
