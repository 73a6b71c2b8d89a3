"""The page that tells programmers what the API does, under the policy that runs nothing inline."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESK, OpenPage

pytestmark = [pytest.mark.story, pytest.mark.browser, pytest.mark.timeout(120)]


def test_a_programmer_reads_what_a_call_wants(open_page: OpenPage) -> None:
    page = open_page(DESK)
    page.goto("/api/docs/")
    call = page.locator("[id$=reservations_create]")
    expect(call).to_be_visible(timeout=60_000)
    call.click()
    expect(call).to_contain_text("Idempotency-Key")
