"""The vocabulary of a step in Brian2: traced operations as statements, one operation each.

Brian2 has no choice between two values, and its `floor` gives whole numbers of 32 bits in NumPy:
both are functions of our own, the same in its three targets.
"""

import numpy as np
from brian2.core.functions import Function

from bridge.backends.brian2.statements import CHOOSE, FLOOR

_CODE = {
    CHOOSE: {
        "cpp": f"""
        static inline double {CHOOSE}(const int condition, const double a, const double b)
        {{
            return condition ? a : b;
        }}
        """,
        "cython": f"""
        cdef inline double {CHOOSE}(int condition, double a, double b) noexcept:
            return a if condition else b
        """,
    },
    FLOOR: {
        "cpp": f"""
        static inline double {FLOOR}(const double x)
        {{
            return std::floor(x);
        }}
        """,
        "cython": f"""
        cdef extern from "math.h":
            double c_floor "floor"(double)
        cdef inline double {FLOOR}(double x) noexcept:
            return c_floor(x)
        """,
    },
}


def functions() -> dict[str, Function]:
    """The functions that statements use, by name."""
    choose = Function(
        pyfunc=lambda condition, a, b: np.where(condition, a, b),
        arg_units=[1, 1, 1],
        arg_types=["integer", "float", "float"],
        return_unit=1,
        return_type="float",
    )
    # Written in Python, as `in_numpy` needs it.
    floor = Function(
        pyfunc=lambda x: np.floor(x),
        arg_units=[1],
        arg_types=["float"],
        return_unit=1,
        return_type="float",
    )
    found = {CHOOSE: choose, FLOOR: floor}
    for name, function in found.items():
        in_numpy(function)
        for target, code in _CODE[name].items():
            function.implementations.add_implementation(target, code)
    return found


def in_numpy(function: Function) -> None:
    """Let the numpy target call a function itself.

    What looks at units in between would make a text of the result in every step.
    """
    function.implementations.add_numpy_implementation(function.pyfunc, discard_units=True)
