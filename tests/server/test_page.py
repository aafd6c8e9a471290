"""The page of the server in a browser: Chromium, where it is installed."""

import io
import shutil

import numpy as np
import pytest
import serving_conformance as conformance
from PIL import Image
from running_server import running

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")


@pytest.fixture(scope="module")
def page(saved):
    """The page of a server with two models."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium")
    with (
        running(f"one={saved / 'tiny'}", f"two={saved / 'later'}") as (client, *_),
        sync_api.sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        opened = browser.new_page()
        opened.said = []
        opened.on("console", lambda message: opened.said.append(message.text))
        opened.on("pageerror", lambda error: opened.said.append(str(error)))
        # What is not on this server cannot be had.
        opened.route(
            "**/*", lambda route: route.continue_() if str(client.base_url) in route.request.url else route.abort()
        )
        opened.goto(str(client.base_url))
        opened.client = client
        yield opened
        browser.close()


def show(page, name, data):
    """Chooses a photograph, and gives the article that it gets."""
    page.set_input_files("#files", [{"name": name, "mimeType": "image/jpeg", "buffer": data}])
    article = page.locator("article").filter(has_text=name)
    article.wait_for()
    return article


def pixels(article):
    """What the first canvas of an article shows."""
    data = article.locator("canvas").first.evaluate("canvas => canvas.toDataURL().split(',')[1]")
    return np.asarray(Image.open(io.BytesIO(conformance.base64.b64decode(data))).convert("RGB")).astype(int)


def test_a_photograph_is_predicted_and_shown(page):
    data = conformance.photograph(120, 200)
    article = show(page, "wide.jpg", data)
    article.locator("tbody tr").nth(4).wait_for()
    image = pixels(article)
    assert image.shape[1] / image.shape[0] == pytest.approx(200 / 120, rel=0.01)
    # The map, its strength, the contours and the places can be taken away.
    for label in ("Contours", "Places"):
        page.get_by_label(label).uncheck()
    page.locator("#strength").fill("0")
    plain = pixels(article)
    page.locator("#view").select_option("photograph")
    assert np.abs(plain - pixels(article)).max() <= 1
    page.locator("#view").select_option("map")
    assert np.abs(plain - pixels(article)).mean() > 10
    page.locator("#strength").fill("60")
    page.locator("#view").select_option("overlay")
    assert 1 < np.abs(plain - pixels(article)).mean() < 120
    label = article.locator("canvas").get_attribute("aria-label")
    assert label.startswith("wide.jpg, by one, the first place is ")
    assert "wide.jpg: by one, the first place is" in page.locator("#status").inner_text()
    # What is downloaded is what the server answered.
    with page.expect_download() as download:
        article.get_by_text("Download as data").click()
    found = np.load(download.value.path())
    rows = page.client.post("/v1/models/one:predict", json={"instances": [conformance.b64(data)]}).json()["predictions"]
    expected = np.array(rows[0]["log_density"])[..., 0]
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert download.value.suggested_filename == "wide_one_log_density.npy"
    with page.expect_download() as download:
        article.get_by_text("Download as PNG").click()
    assert Image.open(download.value.path()).format == "PNG"
    # The first place of the table is the highest point of the map.
    top, left = np.divide(np.unravel_index(expected.argmax(), expected.shape), expected.shape)
    across, down = (
        int(text.rstrip(" %")) / 100 for text in article.locator("tbody tr").first.locator("td").all_inner_texts()[:2]
    )
    assert (down, across) == pytest.approx((top, left), abs=0.02)
    assert page.said == []


def test_two_models_stand_beside_each_other(page):
    article = show(page, "two.jpg", conformance.photograph(90, 90))
    page.locator("#second").select_option("two")
    article.locator("tbody tr").nth(9).wait_for()
    assert article.locator("figcaption").all_inner_texts() == ["one", "two"]
    page.locator("#second").select_option("")
    assert article.locator("figcaption").all_inner_texts() == ["one"]


def test_what_cannot_be_read_says_why(page):
    article = show(page, "broken.jpg", b"no photograph")
    alert = article.get_by_role("alert")
    alert.wait_for()
    assert "Unknown image file format" in alert.inner_text()
    article.get_by_text("Remove").click()
    assert not page.locator("article").filter(has_text="broken.jpg").count()


def test_all_can_be_reached_by_keys_and_has_a_name(page):
    show(page, "keys.jpg", conformance.photograph(80, 80)).locator("tbody tr").nth(4).wait_for()
    page.locator("body").click(position={"x": 1, "y": 1})
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
    assert {"files", "first", "second", "view", "strength", "contours", "places", "BUTTON", "CANVAS"} <= reached
    tree = page.locator("body").aria_snapshot()
    for name in (
        'heading "Where people look"',
        'combobox "Model"',
        'slider "Strength of the map"',
        "Likely first places",
    ):
        assert name in tree


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out(scheme, page):
    page.emulate_media(color_scheme=scheme)
    script = """() => {
        const luminance = (colour) => {
            const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map((c) => {
                const v = c / 255;
                return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
            });
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const texts = "h1, h2, header p, p, .key, label, button, caption, th, td";
        return [...document.querySelectorAll(texts)].map((node) => {
            let under = node;
            while (getComputedStyle(under).backgroundColor === "rgba(0, 0, 0, 0)") under = under.parentElement;
            const back = luminance(getComputedStyle(under).backgroundColor);
            const text = luminance(getComputedStyle(node).color);
            return (Math.max(text, back) + 0.05) / (Math.min(text, back) + 0.05);
        });
    }"""
    assert min(page.evaluate(script)) >= 4.5  # as the guidelines for accessible pages ask
