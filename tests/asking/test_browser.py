"""The answer page in a real browser, without a script: by keyboard alone, on a phone, and when something is wrong."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from aftercare.asking.links import Links
from aftercare.demo.shop.serving import running
from tests.asking.conftest import REF, Clock
from tests.asking.page import Kept, app_of

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
)
PHONE = (320, 640)

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium is here (Debian: apt-get install chromium)")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def address(links: Links, kept: Kept, clock: Clock) -> Iterator[str]:
    with running(app_of(links, kept, "ACME Support", clock)) as served:
        yield f"{served}/v1/survey/{links.token(REF)}"


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, address: str) -> AsyncIterator[Page]:
    """The page on a narrow phone. What the browser complains of fails the test."""
    width, height = PHONE
    context = await browser.new_context(viewport={"width": width, "height": height}, java_script_enabled=False)
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    await page.goto(address)
    yield page
    await context.close()
    assert [c for c in complaints if "Content Security Policy" in c] == []


async def press(page: Page, *keys: str) -> None:
    for key in keys:
        await page.keyboard.press(key)


async def test_it_is_answered_by_keyboard_alone(page: Page, kept: Kept) -> None:
    """A stop for each question, arrows within it, and Enter."""
    await press(page, "Tab", "Space")
    await press(page, "Tab", "Space", "ArrowRight", "ArrowRight", "ArrowRight")
    await press(page, "Tab", "Space", "ArrowRight")
    await press(page, "Tab")
    await page.keyboard.type("Quick, thank you.")
    await press(page, "Tab", "Enter")
    await page.get_by_role("heading", name="Thank you").wait_for()
    assert kept.values == {"survey-1-resolved": 1, "survey-1-csat": 4, "survey-1-ces": 2}
    assert kept.bodies["survey-1-resolved"]["comment"] == "Quick, thank you."


async def test_every_part_has_a_name(page: Page) -> None:
    """By which a screen reader says it: groups by their question, steps of a scale with their meaning."""
    for name in (
        "Is your issue solved?",
        "How satisfied are you with the help you got?",
        "How easy was it to get help?",
    ):
        await page.get_by_role("group", name=name, exact=True).wait_for()
    satisfied = page.get_by_role("group", name="How satisfied are you with the help you got?")
    assert await satisfied.get_by_role("radio", name="5 Very satisfied", exact=True).count() == 1
    assert await page.get_by_role("textbox", name="Is there anything you would like to add?", exact=True).count() == 1
    assert await page.locator("html").get_attribute("lang") == "en"


async def test_it_fits_on_the_narrowest_phone(page: Page) -> None:
    """Nothing sticks out sideways, and everything to press is large enough for a finger."""
    for place in await page.locator("main *:not(.hidden):visible").all():
        box = await place.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE[0]
    for place in await page.locator("label:has(input), button, textarea").all():
        box = await place.bounding_box()
        assert box
        assert min(box["width"], box["height"]) >= 24


async def test_what_has_the_focus_is_seen(page: Page) -> None:
    """A ring around it, wherever the keyboard goes."""
    for _ in range(5):
        await press(page, "Tab")
        ring = page.locator("label:has(:focus-visible), textarea:focus-visible, button:focus-visible")
        assert await ring.count() == 1
        assert (await ring.evaluate("it => getComputedStyle(it).outlineWidth")) == "3px"


async def test_an_error_is_found_and_nothing_entered_is_lost(page: Page, kept: Kept) -> None:
    """The keyboard stands at the list of what is wrong, whose entry leads to the field."""
    await page.get_by_role("group", name="How easy").get_by_text("6", exact=True).click()
    await page.get_by_role("textbox").fill("x" * 2_001)
    await page.get_by_role("button", name="Send my answer").click()
    await page.get_by_role("alert").wait_for()
    assert await page.locator(":focus").get_attribute("role") == "alert"
    await press(page, "Tab", "Enter")
    comment = page.get_by_role("textbox")
    assert await comment.get_attribute("aria-invalid") == "true"
    assert "It has 1 too many." in await page.locator("#comment-wrong").inner_text()
    await comment.fill("x" * 2_000)
    await page.get_by_role("button", name="Send my answer").click()
    await page.get_by_role("heading", name="Thank you").wait_for()
    assert kept.values == {"survey-1-ces": 6}
    assert len(kept.bodies["survey-1-ces"]["comment"]) == 2_000


async def test_the_style_is_let_in_by_the_page_s_own_policy(page: Page) -> None:
    """Nothing else is."""
    assert await page.locator("main").evaluate("it => getComputedStyle(it).backgroundColor") == "rgb(255, 255, 255)"
    await page.emulate_media(color_scheme="dark")
    assert await page.locator("main").evaluate("it => getComputedStyle(it).backgroundColor") == "rgb(26, 33, 43)"
