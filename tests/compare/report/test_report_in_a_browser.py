"""The report as people see it: in Chromium, on a phone and on a desk."""

import os
import shutil
import subprocess
from io import BytesIO

import numpy as np
import pytest
from conftest import drive_for, kim_network
from PIL import Image

import bridge

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
# On a machine of one's own a browser may be missing; where the project is checked it may not.
pytestmark = pytest.mark.skipif(
    not CHROMIUM and not os.environ.get("CI"), reason="no Chromium on this machine"
)

SCREENS = {"phone": (390, 844), "desk": (1280, 800)}
GOOD, BAD = (0x1F, 0x7A, 0x4D), (0xB3, 0x26, 0x1E)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder, network = tmp_path_factory.mktemp("reports"), kim_network()
    made = {}
    for name, fault in (("agree", None), ("disagree", "weights-0.95")):
        found = bridge.compare(
            network,
            backends=["reference", "reference" if fault else "snntorch"],
            levels=["exact", "probe", "statistical"],
            drive=drive_for(network, 20, trials=12),
            inject=fault,
        )
        made[name] = bridge.report(found, folder / f"{name}.html")[0]
    return made


def shown(page, size, folder):
    """A picture of a page's first screen, and what the browser complained of."""
    picture = folder / "screen.png"
    ran = subprocess.run(
        [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", "--enable-logging=stderr", f"--user-data-dir={folder / 'profile'}",
            f"--window-size={size[0]},{size[1]}", f"--screenshot={picture}", page.as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    said = [line for line in ran.stderr.splitlines() if "CONSOLE" in line]
    return Image.open(BytesIO(picture.read_bytes())).convert("RGB"), said


def like(pixels, colour):
    return (np.abs(pixels.astype(int) - colour).max(axis=2) < 24).sum()


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("name", ["agree", "disagree"])
def test_the_verdict_is_on_the_first_screen_and_nothing_complains(pages, screen, name, tmp_path):
    picture, said = shown(pages[name], SCREENS[screen], tmp_path)
    assert not said
    assert picture.size == SCREENS[screen]
    pixels = np.asarray(picture)
    # The verdict's bar at the left is green or red, at least as high as two lines.
    right, wrong = (GOOD, BAD) if name == "agree" else (BAD, GOOD)
    assert like(pixels, right) > 40 * 6
    assert like(pixels, wrong) < like(pixels, right) / 10
    # There is text beside it.
    assert like(pixels, (0x1B, 0x2A, 0x41)) > 500


def test_a_page_that_complains_would_be_noticed(pages, tmp_path):
    page = tmp_path / "loud.html"
    page.write_text(pages["agree"].read_text() + "<script>console.error('wrong')</script>")
    _, said = shown(page, SCREENS["phone"], tmp_path)
    assert any("wrong" in line for line in said)


def test_the_page_is_no_wider_than_a_phone(pages, tmp_path):
    page = tmp_path / "measured.html"
    # The page itself must not scroll sideways; wide tables and pictures do so within it.
    probe = """<script>
    const wide = document.documentElement.scrollWidth > window.innerWidth;
    document.body.innerHTML = '';
    document.body.style.background = wide ? '#b3261e' : '#1f7a4d';
    </script>"""
    page.write_text(pages["disagree"].read_text().replace("</body>", f"{probe}</body>"))
    picture, _ = shown(page, SCREENS["phone"], tmp_path)
    assert like(np.asarray(picture), GOOD) > 0.9 * 390 * 844
