"""The page as a visitor has it, in a browser; screenshots stay in build/page."""

import os
import shutil
from pathlib import Path

import pytest

pytest.importorskip("gradio", reason="the web page needs gradio")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright drives the browser")

from analogies_hub.examples import example_path
from analogies_hub.images import read_metadata

pytestmark = pytest.mark.browser

SHOTS = Path(__file__).parents[2] / "build" / "page"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
ENDED = "id => /^(Done in|Not done|Stopped)/.test(document.querySelector(`#${id}-status textarea`).value)"
PATIENCE = 60_000  # ms


@pytest.fixture(scope="session")
def browser():
    if CHROMIUM is None:
        pytest.skip("there is no chromium; install it, or name it in CHROMIUM")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


@pytest.fixture
def visit(browser, site, request):
    """The function that opens the page; in the end nothing was asked of other hosts, and nothing went wrong in it."""
    hosts, wrong, pages = set(), [], []

    def opened(query="", width=1280, dark=False):
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light")
        page.set_default_timeout(PATIENCE)
        page.on("request", lambda asked: hosts.add(asked.url.partition("://")[2].partition("/")[0]))
        page.on("console", lambda told: wrong.append(told.text) if told.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(f"{site.url}/{query}")
        page.locator("button:has-text('Run') >> visible=true").wait_for()
        pages.append(page)
        return page

    yield opened
    SHOTS.mkdir(parents=True, exist_ok=True)
    for number, page in enumerate(pages):
        page.screenshot(path=SHOTS / f"{request.node.name}-{number}.png", full_page=True)
        page.close()
    assert {host for host in hosts if host} == {site.url.partition("://")[2]} and wrong == []


def run(page, tab):
    """Press the button and wait for the end; what the status says then."""
    page.locator(f"#{tab}-status textarea").evaluate("line => line.value = ''")
    page.locator("button:has-text('Run') >> visible=true").click()
    page.wait_for_function(ENDED, arg=tab)
    return page.locator(f"#{tab}-status textarea").input_value()


def test_a_first_visitor_uploads_a_picture_sees_it_grow_and_takes_the_result_away(visit):
    page = visit()
    page.get_by_label("Remove Image").first.click()
    page.locator("input[type=file]").first.set_input_files(str(example_path("dahlia")))
    page.get_by_label("Remove Image").nth(1).wait_for()
    page.locator("button:has-text('Run') >> visible=true").click()
    page.get_by_text("On the way").first.wait_for()
    page.wait_for_function(ENDED, arg="images")
    assert page.locator("#images-status textarea").input_value().startswith("Done in")
    assert not page.get_by_text("On the way").first.is_visible()
    with page.expect_download() as download:
        page.locator(".result [aria-label='Download'], .result a[download]").first.click()
    made = read_metadata(download.value.path())
    assert made.items() >= {"model": "pair", "operation": "both_ways", "structure": 0.35, "seed": 0}.items()


def test_stop_ends_a_long_job_and_the_next_one_runs(visit):
    page = visit("?do=pair_sample")
    page.locator("button:has-text('More settings') >> visible=true").click()
    count, size = (
        page.locator(f"[aria-label='number input for {name}'] >> visible=true") for name in ("Count", "Size")
    )
    count.fill("8")
    size.fill("768")
    size.press("Tab")
    page.locator("button:has-text('Run') >> visible=true").click()
    page.wait_for_function("document.querySelector('#images-status textarea').value.startsWith('Working')")
    page.locator("button:has-text('Stop') >> visible=true").click()
    page.wait_for_function(ENDED, arg="images", timeout=30_000)
    assert page.locator("#images-status textarea").input_value() == "Stopped."
    page.get_by_label("One way").check()
    size.fill("64")
    size.press("Tab")
    assert run(page, "images").startswith("Done in")


@pytest.mark.parametrize("width", [1280, 390])
def test_a_face_is_picked_edited_and_compared(visit, width):
    page = visit("?do=mask_transfer_transfer", width)
    page.locator("button[aria-label='glasses-3'] >> visible=true").last.click()
    assert run(page, "faces").startswith("Done in")
    slider = page.locator(".result >> visible=true").first
    slider.scroll_into_view_if_needed()
    before, box = slider.screenshot(), slider.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] - box["width"] / 5, middle[1], steps=5)
    page.mouse.up()
    assert slider.screenshot() != before
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_what_cannot_be_done_is_said(visit):
    page = visit("?do=mask_transfer_transfer")
    page.get_by_label("Model (Mask based content transfer)").click()
    page.get_by_role("option", name="mask_transfer-avatars-smile").click()
    page.get_by_label("Cut out").check()
    page.locator("button:has-text('More settings') >> visible=true").click()
    page.locator("label:has-text('Box') >> visible=true").get_by_role("textbox").fill("one,two")
    assert run(page, "faces").startswith("Not done: 'box' must be left,top,width,height in pixels")


def test_the_address_opens_the_same_form_again_and_holds_nothing_else(visit):
    page = visit("?do=didd_interpolate", dark=True)
    page.get_by_label("Reconstruct", exact=True).check()
    page.wait_for_function("location.search.includes('didd_reconstruct')")
    assert page.url.partition("?")[2] == "do=didd_reconstruct"
    again = visit("?" + page.url.partition("?")[2])
    assert again.get_by_label("Reconstruct", exact=True).is_checked()
    visit("?do=<script>")  # of no form: the page as it is


def test_it_works_by_keyboard_and_every_control_has_a_name(visit):
    page = visit("?do=didd_add")
    for button in page.locator("button >> visible=true").all():
        name = button.get_attribute("aria-label") or button.get_attribute("title") or button.inner_text()
        assert name.strip(), button.evaluate("each => each.outerHTML")
    status = page.locator("#faces-status textarea")
    assert status.get_attribute("role") == "status" and status.get_attribute("aria-live") == "polite"
    page.locator("button:has-text('Run') >> visible=true").focus()
    page.keyboard.press("Enter")
    page.wait_for_function(ENDED, arg="faces")
    assert status.input_value().startswith("Done in")
