"""The environments of the package neurogym: made by name, and their trials one by one."""

import difflib
import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError

Setting = bool | int | float | str


class OneTrial(NamedTuple):
    """A trial of t samples: observations (t, C), right actions (t), samples scored (t)."""

    observed: NDArray[np.float64]
    action: NDArray[np.int64]
    asked: NDArray[np.bool_]

    @property
    def asked_for(self) -> int:
        """The action that is right most often where it is scored."""
        return int(np.bincount(self.action[self.asked]).argmax())


def maker(name: str, environment: str, settings: dict[str, Setting]) -> Callable[[], Any]:
    """A function that makes a fresh environment, tried once."""
    package = _package(name)
    _check_known(name, environment, package)

    def make() -> Any:
        with warnings.catch_warnings():
            # Of render modes, which these environments do not have.
            warnings.simplefilter("ignore", UserWarning)
            return package.make(environment, **settings).unwrapped

    try:
        make()
    except ModuleNotFoundError as error:
        raise SpecError(
            f"task {name!r}: {environment} needs the package {error.name}, which is not installed"
        ) from None
    except ITS_ERRORS as error:
        raise refused(name, environment, error) from None
    return make


def _check_known(name: str, environment: str, package: Any) -> None:
    """Raise SpecError unless neurogym can make an environment of that name."""
    # By themselves, `all_envs` leaves these families out.
    known = package.all_envs(psychopy=True, contrib=True, collections=True)
    if environment in known:
        return
    if environment in _collection(environment, package):
        raise SpecError(
            f"task {name!r}: neurogym lists {environment} in a collection but cannot make it: "
            "no environment is registered under that name"
        )
    near = difflib.get_close_matches(environment, known, n=3) or known
    raise SpecError(
        f"task {name!r}: neurogym has no environment {environment!r}; it has {', '.join(near)}"
    )


def _collection(environment: str, package: Any) -> list[str]:
    """What the collection that a name begins with says it holds."""
    family, dot, _ = environment.partition(".")
    if not dot or not family.isidentifier():
        return []
    try:
        return list(package.get_collection(family))
    except ValueError:
        return []


# What environments raise where an option is of another type or makes no sense.
ITS_ERRORS = (TypeError, ValueError, KeyError, AttributeError, IndexError, ZeroDivisionError)


def refused(name: str, environment: str, error: Exception) -> SpecError:
    """What to say where an environment does not take its options."""
    return SpecError(
        f"task {name!r}: {environment} does not take its options: {type(error).__name__}: {error}"
    )


def _package(name: str) -> Any:
    try:
        return import_module("neurogym")
    except ModuleNotFoundError as error:
        if error.name != "neurogym":
            raise
        raise SpecError(
            f"task {name!r} is of the package neurogym, which is not installed; "
            "pip install 'spikebridge[tasks]' installs it"
        ) from None


def seeded(environment: Any, seed: int) -> Any:
    """An environment whose trials a seed decides."""
    environment.seed(seed)
    return environment


def count_actions(name: str, environment: Any) -> int:
    """How many actions there are; SpecError where they are not discrete or none is right."""
    actions = getattr(environment.action_space, "n", None)
    environment.new_trial()
    truth = getattr(environment, "gt", None)
    if actions is None or truth is None or not hasattr(environment, "ob"):
        raise SpecError(
            f"task {name!r}: only environments with discrete actions, of which one is right at "
            "every time, can be trained by example"
        )
    return int(actions)


def next_trial(environment: Any, name: str) -> OneTrial:
    """The environment's next trial."""
    environment.new_trial()
    action = np.asarray(environment.gt, dtype=np.int64)
    if action.size == 0:
        raise SpecError(f"task {name!r}: its trials are shorter than a step; lower step_ms")
    if not 0 <= action.min() <= action.max() < environment.action_space.n:
        raise SpecError(f"task {name!r}: its right answers are not all among its actions")
    asked = _asked(environment, action)
    if not asked.any():
        raise SpecError(
            f"task {name!r}: its period of decision is shorter than a step; lower step_ms"
        )
    observed = np.asarray(environment.ob, dtype=np.float64).reshape(action.size, -1)
    return OneTrial(observed=observed, action=action, asked=asked)


def _asked(environment: Any, action: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(t,) the samples of its current trial that are scored."""
    if "decision" in environment.start_ind:
        asked = np.zeros(action.size, dtype=bool)
        asked[environment.start_ind["decision"] : environment.end_ind["decision"]] = True
        return asked
    other = action != 0
    return other if other.any() else np.ones(action.size, dtype=bool)
