"""A list that is drawn again under somebody's hand: what they opened, wrote or stand on is still theirs."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage

pytestmark = [pytest.mark.story, pytest.mark.browser, pytest.mark.timeout(120)]

# Rows as the desk and the crews have them: a deed, something to open, a form with what one has to say.
DRAW = """async (rows) => {
  const { redraw } = await import("/static/js/redraw.js");
  window.list ??= document.body.appendChild(document.createElement("ol"));
  redraw(window.list, ...rows.map(([id, words]) => {
    const row = document.createElement("li");
    row.dataset.id = id;
    row.innerHTML = `<p>${words}</p><button data-do="take">Take</button>
      <details><summary>More</summary><form data-kept="problem"><input name="text">
      <input type="checkbox" name="done"><input type="file"></form></details>`;
    return row;
  }));
}"""


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    page = open_page()
    page.goto("/offline/")
    page.evaluate(DRAW, [["a", "one"], ["b", "two"], ["c", "three"]])
    return page


def test_what_has_not_changed_is_left_alone(page: Page) -> None:
    row = page.locator("li[data-id=b]")
    row.locator("summary").click()
    row.locator("[name=text]").fill("a flat tyre")
    row.locator("[name=done]").check()
    row.locator("summary").focus()
    row.evaluate("row => { window.before = row }")

    page.evaluate(DRAW, [["c", "three"], ["b", "two"], ["d", "four"]])

    assert row.evaluate("row => row === window.before")
    expect(row.locator("details")).to_have_attribute("open", "")
    expect(row.locator("[name=text]")).to_have_value("a flat tyre")
    expect(row.locator("summary")).to_be_focused()
    assert page.locator("ol > li[data-id]").evaluate_all("all => all.map(one => one.dataset.id)") == [
        "c", "b", "d",
    ]  # fmt: skip


def test_what_has_changed_takes_over_what_was_opened_and_written(page: Page) -> None:
    row = page.locator("li[data-id=b]")
    row.locator("summary").click()
    row.locator("[name=text]").fill("a flat tyre")
    row.locator("[data-do=take]").focus()

    page.evaluate(DRAW, [["a", "one"], ["b", "taken"], ["c", "three"]])

    expect(row).to_contain_text("taken")
    expect(row.locator("details")).to_have_attribute("open", "")
    expect(row.locator("[name=text]")).to_have_value("a flat tyre")
    expect(row.locator("[data-do=take]")).to_be_focused()


def test_who_is_writing_is_not_disturbed(page: Page) -> None:
    row = page.locator("li[data-id=b]")
    row.locator("summary").click()
    row.locator("[name=text]").press_sequentially("a fl")

    page.evaluate(DRAW, [["a", "one"], ["b", "taken"], ["c", "three"]])
    page.keyboard.type("at tyre")

    expect(row.locator("[name=text]")).to_have_value("a flat tyre")
    row.locator("[data-do=take]").focus()
    page.evaluate(DRAW, [["a", "one"], ["b", "taken"], ["c", "three"]])
    expect(row).to_contain_text("taken")
    expect(row.locator("[name=text]")).to_have_value("a flat tyre")


def test_a_camera_that_is_open_finds_the_field_it_was_opened_from(page: Page) -> None:
    row = page.locator("li[data-id=b]")
    row.locator("summary").click()
    with page.expect_file_chooser() as camera:
        row.locator("[type=file]").click()
    page.evaluate(DRAW, [["a", "one"], ["b", "two"], ["c", "three"]])

    camera.value.set_files({"name": "a.txt", "mimeType": "text/plain", "buffer": b"a"})

    assert row.locator("[type=file]").evaluate("field => field.files.length") == 1
