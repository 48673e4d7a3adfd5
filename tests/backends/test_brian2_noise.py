"""The shared noise that Brian2's compiled programs compute for themselves."""

import subprocess

import numpy as np

from bridge.backends.brian2 import toolchain
from bridge.backends.native_noise import normal_code, step_code
from bridge.spiking.noise import sixteen_bit_sums, standard_normal, unit_keys


def test_native_noise_is_that_of_numpy_bit_for_bit(tmp_path):
    keys = np.array([[123456789, -987654321], [-1, 2**31 - 1]], dtype=np.int32)
    size, steps = 300, range(40)
    source = (
        "#include <cstdint>\n#include <cstdio>\n"
        + step_code("noise_step")
        + normal_code("noise_normal")
        + "int main() { static int32_t in[300 + 2]; static double out[40 * 300];\n"
        + "while (fread(in, 4, 302, stdin) == 302) {\n"
        + "for (int k = 0; k < 40; k++) for (int i = 0; i < 300; i++)\n"
        + "out[k * 300 + i] = noise_normal(in[2 + i], noise_step(k, in[0], in[1]));\n"
        + "fwrite(out, 8, 40 * 300, stdout); } }\n"
    )
    (tmp_path / "noise.cpp").write_text(source)
    command = ["g++", *toolchain.STRICT_FLAGS, "noise.cpp", "-o", "noise"]
    subprocess.run(command, cwd=tmp_path, check=True)
    units = unit_keys(np.arange(size, dtype=np.int32))
    given = b"".join(pair.tobytes() + units.tobytes() for pair in keys)
    done = subprocess.run([tmp_path / "noise"], input=given, capture_output=True, check=True)
    native = np.frombuffer(done.stdout).reshape(2, len(steps), size)
    np.testing.assert_array_equal(native.transpose(1, 0, 2), standard_normal(keys, steps, size))


def test_the_c_code_of_the_noise_follows_its_python(monkeypatch):
    def other(unit, step):
        return sixteen_bit_sums(unit, step) + 1

    before = normal_code("noise_normal")
    monkeypatch.setattr("bridge.backends.native_noise.sixteen_bit_sums", other)
    assert normal_code("noise_normal") != before
