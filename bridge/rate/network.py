"""The description of a trained rate network, and its simulation in NumPy."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from dataclasses import fields as dataclass_fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.blas_threads import threads_for
from bridge.errors import SpecError
from bridge.rate.learning import Checkpoint, History
from bridge.rate.plain_activations import ACTIVATIONS, HIGHEST_RATE, activation_of
from bridge.rate.plain_arrays import (
    Orientation,
    masked,
    outer,
    signed,
    single,
    square,
    unit_labels,
    vector,
)
from bridge.rate.unit_forms import Form, check_form, highest_rate, told_units
from bridge.rate.unit_names import extra_fields
from bridge.spiking.arrays import cell_types, frozen_array, per_neuron, time_constants
from bridge.spiking.essentials import as_table, in_a_line, of_task, several, source
from bridge.spiking.values import frozen_provenance, known_model, number, text, time_step_ms

Array = NDArray[np.float64]


def _zero() -> Array:
    """One number for all units."""
    return np.zeros(())


@dataclass(frozen=True, kw_only=True, eq=False)
class RateNetwork:
    """A continuous-variable recurrent network, in one of two forms; o = W_out r + b_out.

    Form x (Kim et al. 2019, eq. 1-2), with r = phi(x): `tau dx/dt = -x + W r + W_in u + b`,
    in steps `x[t] = (1 - dt/tau) x[t-1] + (dt/tau) (W r[t-1] + W_in u[t-1] + b) + noise`.

    Form h (`torch.nn.RNN` where tau = dt), with r = h: `tau dh/dt = -h + phi(W h + W_in u + b)`,
    in steps `h[t] = (1 - dt/tau) h[t-1] + (dt/tau) phi(W h[t-1] + W_in u[t-1] + b) + noise`.

    Attributes:
        recurrent: (N, N) W as it acts, (post, pre): sign and sparsity constraints applied.
        w_in: (N, C) input weights.
        w_out: (O, N) output weights.
        b_out: (O,) output bias.
        tau_ms: (N,) time constants tau, ms.
        activation: Name of phi, one of `ACTIVATIONS`.
        dt_ms: Step of the recursion, ms.
        noise_sd: S.d. of the noise added to the state, x or h, in each step.
        initial_sd: S.d. of the state at the start.
        bias: (N,) b, or one number for all units.
        initial_state: (N,) x(0) or h(0), or one number for all units.
        form: "x" or "h".
        highest_rate: Where softplus and relu are clipped, by default as in the authors' code;
            `math.inf`: nowhere.
        excitatory: (N,) True for excitatory units where Dale's law holds; None: it does not.
        cell_types: (N,) names of the kinds of units, as PYR, PV and SOM; None: they have none.
        task: Name of the task it was trained on, or "".
        history: How training went, where it was trained here.
        checkpoint: Where to go on training; None when it is finished or was made elsewhere.
        provenance: How it was made: plain values under string keys.
    """

    recurrent: Array
    w_in: Array
    w_out: Array
    b_out: Array
    tau_ms: Array
    activation: str = "sigmoid"
    dt_ms: float = 5.0
    noise_sd: float = 0.1
    initial_sd: float = 0.01
    bias: Array = field(default_factory=_zero)
    initial_state: Array = field(default_factory=_zero)
    form: Form = "x"
    highest_rate: float = HIGHEST_RATE
    excitatory: NDArray[np.bool_] | None = None
    cell_types: tuple[str, ...] | None = None
    task: str = ""
    history: History | None = None
    checkpoint: Checkpoint | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)

    __repr__ = in_a_line
    _repr_html_ = as_table

    def rows_told(self) -> dict[str, str]:
        """Its essentials, as `bridge.spiking.essentials.Rows` says."""
        units = {name.replace("_", " "): said for name, said in self.told_units().items()}
        return {
            "size": several(self.size, "unit"),
            "inputs": several(self.input_size, "input"),
            "outputs": several(len(self.w_out), "output"),
            "activation": self.activation,
            **units,
            "step": f"step {self.dt_ms:g} ms",
            "signs": "" if self.excitatory is None else "Dale's law",
            "task": of_task(self.task),
            "training": "unfinished" if self.checkpoint is not None else "",
            "made by": source(self.provenance),
        }

    def __post_init__(self) -> None:
        size = np.shape(self.recurrent)[0] if np.ndim(self.recurrent) else 0
        if not size:
            raise SpecError("recurrent: a network needs at least one unit")
        outputs = np.shape(self.b_out)[0] if np.ndim(self.b_out) else None
        shapes = {
            "recurrent": (size, size),
            "w_in": (size, None),
            "w_out": (outputs, size),
            "b_out": (outputs,),
        }
        for name, shape in shapes.items():
            object.__setattr__(self, name, frozen_array(name, getattr(self, name), shape))
        object.__setattr__(self, "tau_ms", per_neuron("tau_ms", self.tau_ms, size))
        time_constants("tau_ms", self.tau_ms)
        object.__setattr__(self, "dt_ms", time_step_ms("dt_ms", self.dt_ms))
        if text("activation", self.activation) not in ACTIVATIONS:
            raise SpecError(
                f"unknown activation {self.activation!r}; known are {', '.join(ACTIVATIONS)}"
            )
        self._check_units(size)
        for name in ("noise_sd", "initial_sd"):
            object.__setattr__(self, name, number(name, getattr(self, name), least=0))
        text("task", self.task)
        object.__setattr__(self, "provenance", frozen_provenance(self.provenance))
        if self.excitatory is not None:
            self._check_dale(self.excitatory, size)
        object.__setattr__(self, "cell_types", cell_types(self.cell_types, size))
        if self.history is not None:
            known_model("history", self.history, (History,))
        if self.checkpoint is not None:
            self._check_checkpoint(known_model("checkpoint", self.checkpoint, (Checkpoint,)))

    # Each argument is one thing that people have.
    @classmethod
    def from_arrays(  # noqa: PLR0913
        cls,
        *,
        recurrent: Any,
        w_in: Any,
        w_out: Any,
        tau_ms: Any,
        dt_ms: float,
        activation: str,
        b_out: Any = 0.0,
        signs: Any = None,
        mask: Any = None,
        relu: bool = False,
        excitatory: Any = None,
        orientation: Orientation = "post_pre",
        **fields: Any,
    ) -> "RateNetwork":
        """A rate network from arrays of any origin: lists, NumPy, torch, sparse.

        Args:
            recurrent: (N, N) W as it acts; with `signs` or `mask` the raw w of
                W = (w diag(signs)) * mask (Kim et al. 2019).
            w_in: (N, C), or (N,) for one input.
            w_out: (O, N), or (N,) for one output.
            tau_ms: One time constant, or (N,), ms.
            dt_ms: Step of the recursion, ms.
            activation: Name of phi, one of `ACTIVATIONS`.
            b_out: One number, or (O,).
            signs: (N,) 1 for excitatory and -1 for inhibitory units, or the diagonal matrix of
                them: Dale's law, by which raw weights must not be negative.
            mask: (N, N) of 0 and 1: which connections there may be.
            relu: Set negative raw weights to zero, where training did so in each step.
            excitatory: (N,) Dale's labels of a W as it acts, checked.
            orientation: "post_pre": W r, as `torch.nn.Linear` keeps its weights; "pre_post":
                r W, as for row vectors in TensorFlow. It holds for weights and mask alike.
            **fields: `cell_types`, `task`, `noise_sd`, `initial_sd`, `form`, `highest_rate`,
                `provenance` of the network. A bias of the units may have the name `bias` or another
                in common use (`bias_ih` and `bias_hh` add up). A state to start from may be called
                `initial_state`, `h0`, `x0` and so on.

        Raises:
            SpecError: a shape, a type or a sign does not fit, or an argument is not known.
        """
        arguments = inspect.signature(cls.from_arrays).parameters
        own = {entry.name for entry in dataclass_fields(cls)} - set(arguments)
        raw = square("recurrent", recurrent, orientation)
        size = len(raw)
        fields = extra_fields(fields, own, [*arguments][:-1], size)
        labels = None if excitatory is None else unit_labels(excitatory, size)
        if relu and signs is None:
            raise SpecError("relu: needs signs; without them negative weights mean inhibition")
        if relu:
            raw = np.maximum(raw, 0.0)
        # Weights that the mask takes away do not act, whatever their sign.
        acting = raw if mask is None else masked(raw, mask, orientation)
        if signs is not None:
            acting, labels = signed(acting, signs, labels)
        readout = outer("w_out", w_out, (None, size), orientation)
        return cls(
            # Zero has a sign too, which -1 * 0 would leave behind.
            recurrent=acting + 0.0,
            w_in=outer("w_in", w_in, (size, None), orientation),
            w_out=readout,
            b_out=vector("b_out", b_out, len(readout)),
            tau_ms=vector("tau_ms", tau_ms, size),
            dt_ms=single("dt_ms", dt_ms),
            activation=activation,
            excitatory=labels,
            **{"provenance": {"method": "made from arrays"}, **fields},
        )

    def _check_units(self, size: int) -> None:
        for name in ("bias", "initial_state"):
            object.__setattr__(self, name, per_neuron(name, getattr(self, name), size))
        check_form(self.form)
        highest = highest_rate(self.highest_rate, self.activation)
        object.__setattr__(self, "highest_rate", highest)

    def _check_dale(self, given: NDArray[np.bool_], size: int) -> None:
        excitatory = frozen_array("excitatory", given, (size,), np.bool_)
        object.__setattr__(self, "excitatory", excitatory)
        signs = np.where(excitatory, 1.0, -1.0)
        if np.any(self.recurrent * signs < 0):
            raise SpecError("recurrent: some weights have a sign that breaks Dale's law")

    def _check_checkpoint(self, checkpoint: Checkpoint) -> None:
        if not isinstance(self.provenance.get("options"), Mapping):
            raise SpecError("checkpoint: the provenance lacks the options of the training")
        options = self.provenance["options"]
        trained = [name for name in ("bias", "initial_state") if options.get(name)]
        # A form of the training's own is nothing else than training makes.
        own = [*trained, *(["form"] if options.get("form") == self.form else [])]
        other = {name: told for name, told in self.told_units().items() if name not in own}
        if other:
            raise SpecError(
                "checkpoint: training goes on with units as it makes them, and not with "
                f"{', '.join(other.values())}"
            )
        shapes = {"w": self.recurrent.shape, "gate": (self.size,)}
        shapes |= {name: getattr(self, name).shape for name in ("w_out", "b_out", *trained)}
        checkpoint.check_fits(shapes, self.history)

    @property
    def size(self) -> int:
        """Number of units N."""
        return self.recurrent.shape[0]

    @property
    def lag_samples(self) -> int:
        """How much later outputs come than those of the PyTorch module it was read from, samples.

        Where it is 1 output t is of the inputs before t, and that of the module of input t, too.
        """
        lag = self.provenance.get("lag_samples", 0)
        return lag if isinstance(lag, int) else 0

    @property
    def phi(self) -> Callable[[Array], Array]:
        """The activation, clipped where it is."""
        return activation_of(self.activation, self.highest_rate)

    @property
    def input_size(self) -> int:
        """Number of input channels C."""
        return self.w_in.shape[1]

    def told_units(self) -> dict[str, str]:
        """In words, by its field, what the units have that those of Kim et al. 2019 do not have."""
        return told_units(self.form, self.bias, self.initial_state, self.highest_rate)

    def run(self, inputs: Array, rng: np.random.Generator | None) -> tuple[Array, Array]:
        """Simulate trials.

        Args:
            inputs: (T, B, C).
            rng: Draws the noise, that of the initial state too; None: without noise.

        Returns:
            Outputs (T, B, O) and activities r (T, B, N).
        """
        steps, trials, _ = inputs.shape
        # Form x leads the state to the drive and reads phi of it, form h leads it to phi.
        aim, read = (_same, self.phi) if self.form == "x" else (self.phi, _same)
        keep = 1.0 - self.dt_ms / self.tau_ms
        recurrent, w_in = self.recurrent.T, self.w_in.T
        state = np.zeros((trials, self.size)) + self.initial_state
        if rng is not None:
            state += self.initial_sd * rng.standard_normal(state.shape)
        activity = np.empty((steps, trials, self.size))
        activity[0] = read(state)
        with threads_for(trials * self.size**2):
            for step in range(1, steps):
                drive = activity[step - 1] @ recurrent
                drive += inputs[step - 1] @ w_in
                drive += self.bias
                state *= keep
                state += (1.0 - keep) * aim(drive)
                if rng is not None:
                    state += self.noise_sd * rng.standard_normal(state.shape)
                activity[step] = read(state)
            return activity @ self.w_out.T + self.b_out, activity


def _same(values: Array) -> Array:
    return values
