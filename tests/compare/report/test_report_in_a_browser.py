"""The report as people see it: in Chromium, on a phone and on a desk."""

import os
import shutil
import subprocess
from io import BytesIO

import numpy as np
import pytest
from conftest import drive_for, longer_steps_network
from methods.rate_targets.one_sine import SMALL, one_sine
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
INK, NIGHT = (0x1B, 0x2A, 0x41), (0x11, 0x16, 0x1D)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder, network = tmp_path_factory.mktemp("reports"), longer_steps_network()
    made = {}
    for name, fault in (("agree", None), ("disagree", "weights-0.95")):
        found = bridge.compare(
            network,
            backends=["reference", "reference" if fault else "snntorch"],
            levels=["exact", "probe", "statistical"] if fault else ["exact"],
            drive=drive_for(network, 20, trials=12),
            inject=fault,
        )
        made[name] = bridge.report(found, folder / f"{name}.html")[0]
    fit = bridge.fit_targets(one_sine(), **{**SMALL, "learn_trials": 2, "settle_trials": 1})
    (made["fit"],) = bridge.report(fit, folder / "fit.html")
    return made


def shown(page, size, folder, *, dark=False):
    """A picture of a page's first screen, and what the browser complained of."""
    picture = folder / "screen.png"
    ran = subprocess.run(
        [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", "--enable-logging=stderr", f"--user-data-dir={folder / 'profile'}",
            f"--blink-settings=preferredColorScheme={0 if dark else 1}",
            f"--window-size={size[0]},{size[1]}", f"--screenshot={picture}", page.as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    said = [line for line in ran.stderr.splitlines() if "CONSOLE" in line]
    return np.asarray(Image.open(BytesIO(picture.read_bytes())).convert("RGB")), said


def like(pixels, colour):
    return (np.abs(pixels.astype(int) - colour).max(axis=2) < 24).sum()


@pytest.mark.parametrize(("name", "screen"), [("agree", "phone"), ("disagree", "desk")])
def test_the_verdict_is_on_the_first_screen_and_nothing_complains(pages, screen, name, tmp_path):
    pixels, said = shown(pages[name], SCREENS[screen], tmp_path)
    assert not said
    assert pixels.shape[1::-1] == SCREENS[screen]
    # The verdict's bar at the left is green or red, at least as high as two lines.
    right, wrong = (GOOD, BAD) if name == "agree" else (BAD, GOOD)
    assert like(pixels, right) > 40 * 6
    assert like(pixels, wrong) < like(pixels, right) / 10
    # There is text beside it.
    assert like(pixels, INK) > 500


def test_a_dark_page_has_a_dark_ground_and_figures_that_can_be_seen_on_it(pages, tmp_path):
    page = tmp_path / "figures.html"
    # The first figure alone, so that it is on the first screen.
    alone = "document.body.replaceChildren(document.querySelector('figure'))"
    page.write_text(pages["agree"].read_text().replace("</body>", f"<script>{alone}</script>"))
    pixels, said = shown(page, SCREENS["desk"], tmp_path, dark=True)
    assert not said
    assert like(pixels, NIGHT) > 0.8 * 1280 * 800
    # Axes and letters of the figure; its caption is darker.
    assert like(pixels, (0xE4, 0xE9, 0xF2)) > 2000


# What the page can do, asked of it in a phone: then it is green. A page that complains is heard.
PROBE = """<script>
const found = {};
// The page itself must not scroll sideways; wide tables and figures do so within it.
found.wide = document.documentElement.scrollWidth > window.innerWidth;
URL.createObjectURL = blob => { found.blob = blob; return "#"; };
document.querySelector("[data-save]").click();
const letters = new Set();
for (const text of document.querySelectorAll("figure text")) {
  const scale = text.getScreenCTM().a || text.getScreenCTM().b;
  letters.add(Math.round(10 * Math.abs(scale) * parseFloat(getComputedStyle(text).fontSize)) / 10);
}
found.blob.text().then(svg => {
  const whole = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
  const same = !svg.includes("var(") && whole.tagName === "svg" && svg.includes("#1b2a41");
  const buttons = [...document.querySelectorAll("button")].every(each => !each.hidden);
  const good = !found.wide && same && buttons && letters.size <= 3 && Math.min(...letters) > 8;
  document.body.innerHTML = "";
  document.documentElement.style.background = document.body.style.background =
      good ? "#1f7a4d" : "#b3261e";
  console.error("wrong", JSON.stringify([...letters]), found.wide, same, buttons);
});
</script>"""


@pytest.mark.parametrize("name", ["disagree", "fit"])
def test_the_page_fits_a_phone_its_figures_are_saved_whole_and_their_letters_are_alike(
    pages, name, tmp_path
):
    page = tmp_path / "measured.html"
    page.write_text(pages[name].read_text().replace("</body>", f"{PROBE}</body>"))
    pixels, said = shown(page, SCREENS["phone"], tmp_path)
    assert any("wrong" in line for line in said)
    assert like(pixels, GOOD) > 0.9 * 390 * 844, said
