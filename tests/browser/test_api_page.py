"""The page that tells programmers what the API does, under the policy that runs nothing inline."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESK, OpenPage

pytestmark = [pytest.mark.story, pytest.mark.browser, pytest.mark.timeout(120)]


def test_a_programmer_reads_what_a_call_wants(open_page: OpenPage) -> None:
    page = open_page(DESK)
    page.goto("/api/docs/")
    page.locator("a[href='#/ad-hoc-recharges/ad_hoc_recharges_create']").click(timeout=60_000)
    expect(page.locator(".opblock.is-open")).to_contain_text("Idempotency-Key")
