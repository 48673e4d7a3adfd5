"""Adam as PyTorch computes it, without the compiler that `torch.optim.Adam` loads."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.optim.adam import adam


class Adam:
    """Kingma and Ba 2015, algorithm 1: `torch.optim.Adam` with its defaults, to the last bit.

    The class of PyTorch loads its compiler when it is made, which takes over a second; the function
    that it calls does not.

    Attributes:
        parameters: What is trained.
        rates: The learning rate of each.
        capturable: Whether a step can be put into a CUDA graph.
        state: By parameter: steps made, and the means of its gradient and of the square.
    """

    def __init__(
        self, parameters: Sequence[Tensor], rate: float, *, capturable: bool = False
    ) -> None:
        self.parameters = list(parameters)
        self.rates = [rate] * len(self.parameters)
        self.capturable = capturable
        self.state: dict[Tensor, dict[str, Tensor]] = {}

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Move each parameter that has a gradient; those of one learning rate together."""
        for rate in dict.fromkeys(self.rates):
            self._step([p for p, own in zip(self.parameters, self.rates, strict=True)
                        if own == rate and p.grad is not None], rate)  # fmt: skip

    def place_of_steps(self, parameter: Tensor) -> torch.device:
        """Where the steps of a parameter are counted."""
        return parameter.device if self.capturable else torch.device("cpu")

    def _step(self, moved: list[Tensor], rate: float) -> None:
        states = [self._state(parameter) for parameter in moved]
        adam(
            moved,
            [parameter.grad for parameter in moved if parameter.grad is not None],
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            [state["step"] for state in states],
            capturable=self.capturable,
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=rate,
            weight_decay=0.0,
            eps=1e-8,
            maximize=False,
        )

    def _state(self, parameter: Tensor) -> dict[str, Tensor]:
        if parameter not in self.state:
            self.state[parameter] = {
                "step": torch.zeros((), device=self.place_of_steps(parameter)),
                "exp_avg": torch.zeros_like(parameter),
                "exp_avg_sq": torch.zeros_like(parameter),
            }
        return self.state[parameter]
