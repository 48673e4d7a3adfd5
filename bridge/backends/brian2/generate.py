"""The sources of a standalone program: written by Brian2, in a process of its own.

    python -m bridge.backends.brian2.generate PROJECT

reads the form that lies in the folder PROJECT, and leaves there the sources and a manifest of what
the program takes and leaves.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

if __name__ == "__main__":
    # Brian2 goes on without them, and no source needs them: a third of the time is theirs.
    for left_out in ("Cython", "matplotlib", "pylab", "pytest"):
        sys.modules[left_out] = None  # type: ignore[assignment]

# First, since importing Brian2 changes global state.
from bridge.backends.brian2.session import session  # isort: skip

import brian2
import numpy as np
from brian2.core.functions import Function
from brian2.core.variables import ArrayVariable
from brian2.devices.cpp_standalone.device import CPPStandaloneDevice

from bridge.backends.brian2.build import FORM, MANIFEST, SAID, STATIC, VALUES, table_name
from bridge.backends.brian2.form import Form
from bridge.backends.brian2.late import late_code, stateful
from bridge.backends.brian2.model import Model, build
from bridge.backends.brian2.program import FORMAT
from bridge.backends.native_noise import normal_code, step_code
from bridge.errors import BridgeError


def generate(form: Form, project: Path) -> None:
    """Write the sources of one trial of a form, and a manifest, into a folder.

    Raises:
        BackendError: Brian2 failed.
    """
    with session("standalone"):
        brian2.set_device("cpp_standalone", build_on_run=False)
        device = brian2.get_device()
        sources = _Files(form)
        model = build(form, sources)
        _start_from_command_line(device, model)
        model.net.run(form.steps * form.dt_ms * brian2.ms)
        results = _results(device, model, form)
        device.insert_code("before_end", _leaving_code(results))
        device.build(str(project), compile=False, run=False, with_output=False)
        manifest = _manifest(model, sources, results)
        manifest["fixed"] = sorted(set(device.static_arrays) - set(sources.shapes))
    (project / MANIFEST).write_text(json.dumps(manifest))


def main(project: Path) -> None:
    """Generate what the folder asks for; what a person should know of a failure is left there."""
    form = Form.from_plain(json.loads((project / FORM).read_text()))
    try:
        generate(form, project)
    except BridgeError as error:
        (project / SAID).write_text(str(error))
        sys.exit(2)


def _start_from_command_line(device: CPPStandaloneDevice, model: Model) -> None:
    device.apply_run_args()
    for group in model.groups:
        if "run_seed" in group.neurons.variables:
            seed = device.get_array_name(group.neurons.variables["run_seed"])
            device.insert_code("main", f"brian::_random_generators[0].seed({seed}[0]);")
            break


@dataclass(frozen=True)
class _Result:
    """An array that the program leaves: its name in C++, its type and its number of dimensions."""

    array: str
    type: str
    kind: Literal["fixed", "dynamic", "rows"]


def _results(device: CPPStandaloneDevice, model: Model, form: Form) -> dict[str, _Result]:
    """What is read of a finished trial, by the name of its file."""

    def result(variable: ArrayVariable, kind: Literal["fixed", "dynamic", "rows"]) -> _Result:
        array = device.get_array_name(variable, access_data=False)
        return _Result(array, np.dtype(variable.dtype).name, kind)

    found: dict[str, _Result] = {}
    for number, group in enumerate(model.groups):
        neurons = group.neurons.variables
        if group.spikes is not None:
            found[f"fired_{number}"] = result(group.spikes.variables["i"], "dynamic")
            found[f"times_{number}"] = result(group.spikes.variables["t"], "dynamic")
        if number not in form.neurons:
            continue
        mine = form.populations[number]
        for name in dict.fromkeys((*mine.states, *mine.sampled)):
            found[f"final_{number}_{name}"] = result(neurons[name], "fixed")
        if "margin" in neurons:
            found[f"margins_{number}"] = result(neurons["margin"], "fixed")
        for name, variable in _seen(group.samples, mine.sampled):
            found[f"samples_{number}_{name}"] = result(variable, "rows")
        for name, variable in _seen(group.window, mine.stepped):
            found[f"window_{number}_{name}"] = result(variable, "dynamic")
    return found


def _seen(
    monitor: brian2.StateMonitor | None, names: tuple[str, ...]
) -> list[tuple[str, ArrayVariable]]:
    """What a monitor has recorded, by name."""
    return [] if monitor is None else [(name, monitor.variables[name]) for name in names]


def _leaving_code(results: dict[str, _Result]) -> str:
    """C++ that writes the results and ends the program.

    Brian2 would write every array it has, and not notice a full disk.
    """
    lines = ["using namespace brian;"]
    for name, result in results.items():
        array = result.array
        lines += [f'{{ std::ofstream file(results_dir + "{name}", std::ios::binary);']
        write = "file.write(reinterpret_cast<const char*>({}), {} * sizeof({}));".format
        if result.kind == "fixed":
            lines.append(write(array, f"_num_{array}", f"{array}[0]"))
        elif result.kind == "dynamic":
            lines.append(write(f"{array}.data()", f"{array}.size()", f"{array}[0]"))
        else:
            row = write(f"&{array}(row, 0)", f"{array}.m", f"{array}(0, 0)")
            lines.append(f"for (int row = 0; row < {array}.n; row++) {row}")
        lines += ["file.close();", f'if (!file) {{ std::cerr << "{name}: cannot be written";']
        lines += ["return 1; } }"]
    return "\n".join([*lines, "return 0;"])


def _manifest(model: Model, sources: "_Files", results: dict[str, _Result]) -> dict[str, Any]:
    """What the program takes and leaves: names, types and shapes, as plain values."""
    arguments = {
        f"neurons_{number}.{name}": np.dtype(variable.dtype).name
        for number, group in enumerate(model.groups)
        for name, variable in group.neurons.variables.items()
        if isinstance(variable, ArrayVariable) and not variable.read_only
    }
    for connection in model.connections.values():
        arguments |= {f"{synapses.name}.w": "float64" for synapses in connection.synapses}
        if connection.late and connection.relay is not None:
            arguments[f"{connection.relay.name}.delay"] = "float64"
    return {
        "format": FORMAT,
        "arguments": arguments,
        "files": {name: list(shape) for name, shape in sources.shapes.items()},
        "results": {name: result.type for name, result in results.items()},
    }


class _Files:
    """Input, noise and synapses of one trial, read from files when the program starts."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.shapes: dict[str, tuple[int, int]] = {}
        self.space: dict[str, object] = {
            "noise_step": _function(3, "integer", step_code("noise_step")),
            "noise_normal": _function(2, "float", normal_code("noise_normal")),
        }
        for number, projection in enumerate(form.projections):
            if projection.source < 0:
                size = form.populations[projection.target].size
                if projection.given:
                    self._add(f"u_{number}", (form.steps, size), 1, 0)
                else:
                    steps = (form.sample_steps, form.sample_offset_steps)
                    self._add(f"u_{number}", (form.samples, size), *steps)
            elif projection.late and projection.graded:
                late = stateful(None)
                name = f"late_values_{number}"
                code = late_code(name, f"../{VALUES}/delays_{number}")
                late.implementations.add_implementation("cpp", code, name=name)
                self.space[name] = late
        for number, population in enumerate(form.populations):
            if population.noise == "given":
                self._add(f"noise_{number}", (form.steps, population.size), 1, 0)
            if population.given:
                name = f"train_{number}"
                self.space[name] = _function(1, "integer", _table_code(name, f"{STATIC}/{name}"))
            for m in population.stimulated:
                self._add_kick(f"kick_{m}", form.steps)

    def _add(self, name: str, shape: tuple[int, int], sample_steps: int, offset: int) -> None:
        """A function of the step that reads the row of the step's sample from a file."""
        rows, size = shape
        code = f"""
        static inline double {name}(const int64_t step, const int64_t neuron)
        {{
            const int64_t sample = (step + {offset}) / {sample_steps};
            const int64_t row = sample < {rows} ? sample : {rows - 1};
            return _namespace{name}_values[row * {size} + neuron];
        }}
        """
        values = {f"{name}_values": np.zeros(rows * size)}
        # Brian2 then passes on the neuron's number itself, and the loop reads one after the other.
        self.space[name] = _function(1, "float", code, values, auto_vectorise=True)
        self.shapes[f"{name}_values"] = shape

    def _add_kick(self, name: str, steps: int) -> None:
        """A function of the step that reads a number from a file."""
        code = f"""
        static inline double {name}(const int64_t step)
        {{
            return _namespace{name}_values[step];
        }}
        """
        self.space[name] = _function(1, "float", code, {f"{name}_values": np.zeros(steps)})
        self.shapes[f"{name}_values"] = (steps, 1)

    def namespace(self) -> dict[str, object]:
        return self.space

    def input(self, number: int) -> str:
        return f"u_{number}(t_in_timesteps)"

    def given_noise(self, number: int) -> str:
        return f"noise_{number}(t_in_timesteps)"

    def kick(self, stimulation: int, number: int) -> str:
        return f"kick_{stimulation}(t_in_timesteps)"

    def late(self, number: int) -> str:
        return f"late_values_{number}(emitted, t_in_timesteps, i)"

    def delay(self, relay: brian2.Synapses, number: int) -> None:
        """They are given on the command line."""

    def connect(self, synapses: brian2.Synapses, number: int, factor: int) -> None:
        """Synapse by synapse as the files say: their number is not part of the program."""
        first, post = (table_name(name, number, factor) for name in ("first", "post"))
        synapses.namespace = {
            name: _function(1, "integer", _table_code(name, f"../{VALUES}/{name}"))
            for name in (first, post)
        }
        synapses.connect(j=f"{post}(k) for k in range({first}(i), {first}(i + 1))")


def _table_code(name: str, path: str) -> str:
    """C++ function: a number of a file of int32; one beyond its end ends the program."""
    return f"""
    static int32_t {name}(const int64_t index)
    {{
        static const std::vector<int32_t> values = [] {{
            std::ifstream file("{path}", std::ios::binary | std::ios::ate);
            std::vector<int32_t> read(file ? size_t(file.tellg()) / sizeof(int32_t) : 0);
            file.seekg(0);
            file.read(reinterpret_cast<char*>(read.data()), read.size() * sizeof(int32_t));
            return read;
        }}();
        return values.at(index);
    }}
    """


def _function(
    arguments: int,
    result: str,
    code: str,
    values: dict[str, Any] | None = None,
    *,
    auto_vectorise: bool = False,
) -> Function:
    """A function that Brian2 knows in C++ only, of whole numbers."""
    function = Function(
        pyfunc=None,
        arg_units=[1] * arguments,
        arg_types=["integer"] * arguments,
        return_unit=1,
        return_type=result,
        auto_vectorise=auto_vectorise,
    )
    function.implementations.add_implementation("cpp", code, namespace=values or {})
    return function


if __name__ == "__main__":
    main(Path(sys.argv[1]))
