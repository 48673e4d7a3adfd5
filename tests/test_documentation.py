"""The pages that are written from the code say what the code says."""

import configparser
import re
from pathlib import Path

import api_reference
import command_reference
import h5py
import pytest
import typer
from exchange.test_store import THINGS

import bridge
from bridge.cli import app

COMMANDS = typer.main.get_command(app).commands
ROOT = Path(__file__).parents[1]
PAGES = ROOT / "notebooks"
API = (PAGES / "api.md").read_text(encoding="utf-8")
FORMAT = (PAGES / "file_format.md").read_text(encoding="utf-8")
# Sections of the file format that the one of a kind refers to.
ALSO = {
    "conversion": ("rate_network", "spiking_network"),
    "trained_network": ("spiking_network",),
    "recording": ("drive",),
}
# What lies in these groups has names that users or models choose.
CHOSEN = re.compile(
    r"(readouts/\D|values/|window/states/|initial_states/|parameters/|moment\d/)"
    r"|^input_spikes/\w+$|^spikes/(?!trial$|step$|neuron$)\w+$"
)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_is_on_the_page_of_commands(name):
    _, _, rest = command_reference.markdown().partition(f"## `spikebridge {name}`\n")
    section, _, _ = rest.partition("\n## ")
    assert all(f"`{param.opts[0]}`" in section for param in COMMANDS[name].params)
    examples = [line for line in COMMANDS[name].epilog.splitlines() if "$ " in line]
    assert section.count("\nspikebridge ") == len(examples) > 0


def test_no_name_is_on_the_page_of_the_api_that_is_not_public():
    placed = [line.split("bridge.")[1] for line in API.splitlines() if ":: bridge." in line]
    own = {name for name in placed if "." not in name and name != "errors"}
    assert own <= set(bridge.__all__)


def test_a_public_name_without_a_place_on_the_page_goes_to_its_end():
    page = API.replace(".. autofunction:: bridge.convert\n", "")
    assert ".. autofunction:: bridge.convert\n" in api_reference.others(page)
    assert "bridge.convert_each" not in api_reference.others(page)


@pytest.mark.parametrize(
    ("annotated", "said"),
    [
        (
            "numpy.ndarray[tuple[int, ...], numpy.dtype[numpy.float64]] | None",
            "float64 array | None",
        ),
        ("collections.abc.Mapping[str, Any]", "Mapping[str, Any]"),
        ("bridge.rate.learning.History | None", "History | None"),
        ("Literal['x', 'h']", "Literal['x', 'h']"),
    ],
)
def test_types_are_written_as_a_reader_says_them(annotated, said):
    assert api_reference.in_words(annotated) == said


def names_in(path):
    """What a file calls its groups, arrays and attributes."""
    places = []
    with h5py.File(path) as file:
        file.visit(places.append)
        names = {name for place in ("/", *places) for name in file[place].attrs}
        kind = file.attrs["kind"]
    names |= {place.split("/")[-1] for place in places if not CHOSEN.search(place)}
    return kind, {name for name in names if not name.isdigit()}


@pytest.mark.parametrize("name", THINGS)
def test_whatever_a_file_holds_is_on_the_page_of_the_file_format(name, tmp_path):
    kind, names = names_in(bridge.save(THINGS[name](), tmp_path / "a.h5"))
    found = re.findall(r"^## `(\w+)`\n(.*?)(?=^## |\Z)", FORMAT, re.MULTILINE | re.DOTALL)
    page = " ".join(text for of, text in found if of in (kind, *ALSO.get(kind, ())))
    words = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]*)`", page))))
    assert names - {"format", "format_version", "kind", "checksum", "units"} <= words


def test_the_citation_is_of_this_version_and_licence():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    cited = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    for name, place in (("version", "version"), ("license", "license_expression")):
        assert re.findall(rf"^{name}: (.*)$", cited, re.MULTILINE) == [setup["metadata"][place]]
