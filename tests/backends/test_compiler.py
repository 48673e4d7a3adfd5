"""The C++ compiler is asked for what it knows: not every one that answers to g++ is GCC on x86."""

import os

import pytest

from bridge.backends import compiler, workers
from bridge.backends.brian2 import toolchain
from bridge.backends.compiled import build


@pytest.fixture
def apples(tmp_path, monkeypatch):
    """Makes a g++ that refuses flags, as Apple's does on ARM."""

    def make(*refused):
        cases = "|".join(refused)
        program = tmp_path / "g++"
        program.write_text(
            f'#!/bin/sh\nfor flag; do case "$flag" in {cases}) exit 1;; esac; done\n'
        )
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    compiler._takes.cache_clear()
    yield make
    compiler._takes.cache_clear()


def test_a_flag_that_the_compiler_refuses_is_replaced_and_left_out_where_nothing_replaces_it(
    apples,
):
    apples("-march=native", "-mprefer-vector-width=512")
    assert compiler.understood(build.FLAGS)[:3] == ["-O3", "-mcpu=native", "-std=c++17"]
    strict = toolchain.strict_flags()
    assert "-mcpu=native" in strict
    assert not {"-march=native", "-mprefer-vector-width=512"} & set(strict)
    # What keeps the bits is never given up.
    assert "-ffp-contract=off" in strict


def test_a_compiler_that_knows_no_processor_by_itself_is_told_of_none(apples):
    apples("-march=native", "-mcpu=native")
    given = compiler.understood(build.FLAGS)
    assert not [flag for flag in given if flag.startswith(("-march", "-mcpu"))]


def test_a_compiler_that_takes_all_gets_all(apples):
    apples("-nothing")
    assert compiler.understood(build.FLAGS) == build.FLAGS
    assert toolchain.strict_flags() == toolchain.STRICT_FLAGS


def test_nothing_is_forked_on_macos(monkeypatch):
    monkeypatch.setattr(workers.sys, "platform", "darwin")
    assert not workers.can_fork()
    assert workers.available_processes() == 1
