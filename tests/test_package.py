"""What is installed works away from the repository, and says what it is."""

import configparser
import os
import platform
import re
import subprocess
import sys
import zipfile
from fnmatch import fnmatch
from importlib.metadata import requires, version
from pathlib import Path
from shutil import copytree, which

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

import bridge
from bridge.cli import app
from bridge.errors import FormatError
from bridge.exchange import shipped

ROOT = Path(__file__).parents[1]
SETUP = configparser.ConfigParser()
SETUP.read(ROOT / "setup.cfg")


def lines(section, name):
    return [line for line in SETUP[section][name].splitlines() if line and not line.startswith("#")]


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_the_command_says_the_version_that_is_written_in_one_place(option):
    said = CliRunner().invoke(app, [option])
    assert (said.exit_code, said.output) == (0, f"spikebridge {SETUP['metadata']['version']}\n")
    assert bridge.__version__ == version("spikebridge") == SETUP["metadata"]["version"]


def test_networks_that_ship_are_found_by_name_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, kind in (
        ("go_nogo_n200", bridge.RateNetwork),
        ("go_nogo_n200_lif", bridge.Conversion),
    ):
        stored = bridge.load(name)
        assert isinstance(stored, kind)
        assert str(stored) == str(bridge.load(ROOT / "models" / f"{name}.h5"))
    assert set(shipped.names()) == {path.stem for path in (ROOT / "models").glob("*.h5")}
    with pytest.raises(FormatError, match="go_nogo_n201: no such file"):
        bridge.load("go_nogo_n201")
    with pytest.raises(FormatError, match="no such file"):
        bridge.load("elsewhere/go_nogo_n200")


def test_a_file_of_ones_own_goes_before_a_network_that_ships(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    drive = bridge.Drive(inputs=np.ones((2, 1, 1)), noise=bridge.SharedNoise(seed=0))
    bridge.save(drive, "go_nogo_n200")
    assert isinstance(bridge.load("go_nogo_n200"), bridge.Drive)


def test_every_file_of_the_package_is_installed():
    wanted = lines("options.package_data", "bridge")
    package = Path(bridge.__file__).parent
    found = [
        path.relative_to(package).as_posix()
        # What lies behind the link to models/ too.
        for path in (*package.rglob("*"), *(package / "models").glob("*"))
        if path.is_file() and path.suffix not in (".py", ".pyc")
    ]
    assert [name for name in found if not any(fnmatch(name, each) for each in wanted)] == []
    assert [each for each in wanted if not any(fnmatch(name, each) for name in found)] == []


def test_a_wheel_holds_what_is_needed_away_from_the_repository(tmp_path):
    source = tmp_path / "source"
    parts = ("bridge", "models")
    for part in parts:
        copytree(ROOT / part, source / part, symlinks=True)
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        (source / name).write_bytes((ROOT / name).read_bytes())
    build = "from setuptools.build_meta import build_wheel as build; build('..')"
    subprocess.run([sys.executable, "-c", build], cwd=source, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    program = "import bridge; print(bridge.__file__, bridge.load('go_nogo_n200'))"
    said = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path, env={"PYTHONPATH": str(tmp_path / "installed")}, check=True,
        capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert said.startswith(str(tmp_path / "installed"))
    assert "RateNetwork(200 units" in said


def test_every_extra_is_pinned_and_so_is_what_is_always_needed():
    pins = [line.partition("==")[0] for line in (ROOT / "constraints.txt").read_text().splitlines()]
    pinned = {re.sub("[-_.]+", "-", name).lower() for name in pins}
    needed = {re.match(r"[\w.-]+", each)[0] for each in requires("spikebridge")}
    assert {re.sub("[-_.]+", "-", name).lower() for name in needed} <= pinned


def test_public_checks_do_what_the_makefile_knows():
    said = yaml.safe_load((ROOT / ".github" / "workflows" / "tests.yml").read_text())
    steps = [step for job in said["jobs"].values() for step in job["steps"]]
    asked = {step["run"].split()[1] for step in steps if step.get("run", "").startswith("make ")}
    known = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {"check", "docs", "test"} <= asked <= set(known)
    tried = {each for job in said["jobs"].values() for each in _pythons(job)}
    names = [line.rpartition(" ")[2] for line in lines("metadata", "classifiers")]
    assert tried == {name for name in names if re.fullmatch(r"3\.\d+", name)}


@pytest.mark.skipif(which("make") is None, reason="make is not installed")
@pytest.mark.parametrize("torch", ["cpu", ""])
def test_make_takes_the_wheel_for_the_cpu_where_it_is_asked_to(torch):
    command = ["make", "-n", "-B", "install", f"TORCH={torch}"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    (install,) = (line for line in said.splitlines() if "-e '.[" in line)
    by_uv, by_pip = install.split("||")
    assert ("uv pip install" in by_uv, "-m pip install" in by_pip) == (True, True)
    for way in (by_uv, by_pip):
        assert "-c constraints.txt" in way
        assert ("download.pytorch.org/whl/cpu" in way) == (torch == "cpu")
        assert ("triton" in way) == ((sys.platform, platform.machine()) == ("linux", "x86_64"))


# Says what it is run with.
AS_UV = "import os, sys; print(*sys.argv[1:]); print(os.environ.get('SSL_CERT_FILE'))"


def untold():
    """This environment, without what pip and uv are told in it."""
    return {
        key: text
        for key, text in os.environ.items()
        if not key.startswith("PIP_") and key != "SSL_CERT_FILE"
    }


@pytest.fixture
def as_uv(tmp_path):
    """What uv would be run with: options that are added, and where certificates are."""

    def run(settings, file=""):
        path = tmp_path / "pip.conf"
        path.write_text(file)
        # This machine's own settings are not read beside none.
        settings = {**settings, "PIP_CONFIG_FILE": str(path) if file else os.devnull}
        return subprocess.run(
            [sys.executable, ROOT / ".ci" / "uv_as_pip.py", sys.executable, "-c", AS_UV, "wanted"],
            env={**untold(), **settings},
            check=False, capture_output=True, text=True,
        )  # fmt: skip

    return run


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        # None of them changes what becomes of another: to ask pip takes half a second each time.
        (
            {
                "PIP_FIND_LINKS": "/wheels /more",
                "PIP_INDEX_URL": "https://own",
                "PIP_TIMEOUT": "9",
                "PIP_CONSTRAINT": "pins.txt",
                "PIP_CERT": "/of my own/ca.pem",
            },
            "--constraint pins.txt --find-links /wheels --find-links /more "
            "--index-url https://own\n/of my own/ca.pem",
        ),
        ({"PIP_TIMEOUT": "9"}, "\nNone"),
        ({"PIP_CERT": "/ours.pem", "SSL_CERT_FILE": "/theirs.pem"}, "\n/ours.pem"),
        ({"PIP_NO_INDEX": "1"}, None),
    ],
)
def test_uv_is_told_what_pip_is_told_or_pip_installs(settings, told, as_uv):
    ended = as_uv(settings)
    if told is None:
        assert (ended.returncode, "no-index" in ended.stderr, ended.stdout) == (1, True, "")
    else:
        assert ended.returncode == 0
        assert [line.strip() for line in ended.stdout.splitlines()] == [
            line.strip() for line in f"wanted {told}".splitlines()
        ]


def test_uv_is_told_what_wins_where_pip_is_told_twice(as_uv):
    options, place = as_uv(
        {"PIP_INDEX_URL": "https://own"},
        "[global]\nindex-url = https://a\nextra-index-url = https://b\n  https://c\n"
        "cert = /global.pem\n"
        "[install]\nextra-index-url = https://d\n  https://e\ncert = /install.pem\n",
    ).stdout.splitlines()
    said = options.split()
    assert [said[place + 1] for place, word in enumerate(said) if word == "--index-url"] == [
        "https://own"
    ]
    extra = [said[place + 1] for place, word in enumerate(said) if word == "--extra-index-url"]
    assert extra == ["https://d", "https://e"]
    assert place == "/install.pem"


def test_pip_installs_where_uv_is_not_there():
    ended = subprocess.run(
        [sys.executable, ROOT / ".ci" / "uv_as_pip.py", "/no/such/uv"],
        env={**untold(), "PIP_CONFIG_FILE": os.devnull},
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert ended.returncode == 1
    assert ended.stderr == "/no/such/uv: No such file or directory, so pip installs\n"


def _pythons(job):
    return job.get("strategy", {}).get("matrix", {}).get("python", [])
