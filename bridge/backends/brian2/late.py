"""Values that arrive later: functions that take what is sent in a step and give what arrives.

Each holds what is under way, and so is called once for each neuron in each step, in their order.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from brian2.core.functions import Function
from numpy.typing import NDArray

from bridge.backends.brian2.vocabulary import in_numpy

Array = NDArray[np.float64]


def late_function(name: str, delays: NDArray[np.int32]) -> Function:
    """A function of value, step and neuron for the numpy and cython targets; `delays` are all."""
    ahead = int(delays.max(initial=0)) + 1
    due = np.zeros((ahead, delays.size))
    function = stateful(_in_numpy(delays, due))
    in_numpy(function)
    held = {
        f"{name}_due": due.reshape(-1),
        f"{name}_delays": delays,
        f"{name}_shape": np.array([ahead, delays.size], dtype=np.int32),
    }
    code = f"""
    cdef inline double {name}(double sent, long long step, long long neuron) noexcept:
        global _namespace{name}_due, _namespace{name}_delays, _namespace{name}_shape
        cdef long long ahead = _namespace{name}_shape[0]
        cdef long long size = _namespace{name}_shape[1]
        cdef long long later = (step + _namespace{name}_delays[neuron]) % ahead
        _namespace{name}_due[later * size + neuron] = sent
        return _namespace{name}_due[(step % ahead) * size + neuron]
    """
    function.implementations.add_implementation("cython", code, namespace=held, name=name)
    return function


def stateful(pyfunc: Callable[..., Any] | None) -> Function:
    """A function of a value and two whole numbers that holds something from call to call."""
    return Function(
        pyfunc=pyfunc,
        arg_units=[1, 1, 1],
        arg_types=["float", "integer", "integer"],
        return_unit=1,
        return_type="float",
        stateless=False,
    )


def _in_numpy(delays: NDArray[np.int32], due: Array) -> Callable[..., Any]:
    def late(sent: Any, step: Any, neuron: Any) -> Array:
        now, ahead = int(np.asarray(step).item()), len(due)
        due[(now + delays[neuron]) % ahead, neuron] = sent
        return np.asarray(due[now % ahead, neuron])

    return late


def late_code(name: str, file: str) -> str:
    """C++ of the same, of delays in a file of int32, one for each neuron of a trial."""
    return f"""
    static double {name}(const double sent, const int64_t step, const int64_t neuron)
    {{
        static const std::vector<int32_t> delays = [] {{
            std::ifstream file("{file}", std::ios::binary | std::ios::ate);
            std::vector<int32_t> read(file ? size_t(file.tellg()) / sizeof(int32_t) : 0);
            file.seekg(0);
            file.read(reinterpret_cast<char*>(read.data()), read.size() * sizeof(int32_t));
            return read;
        }}();
        static const int64_t ahead = [] {{
            int32_t longest = 0;
            for (const int32_t delay : delays) longest = delay > longest ? delay : longest;
            return int64_t(longest) + 1;
        }}();
        static std::vector<double> due(ahead * delays.size());
        due[((step + delays.at(neuron)) % ahead) * delays.size() + neuron] = sent;
        return due[(step % ahead) * delays.size() + neuron];
    }}
    """
