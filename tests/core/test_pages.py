"""Pages of long lists."""

import pytest
from django.db.models import Count

from mobility.accounts.models import User
from mobility.core.pages import LatePages

pytestmark = pytest.mark.django_db


def test_every_row_is_on_one_page_in_the_order_of_the_list():
    for number in range(23):
        User.objects.create_user(f"rider-{number:02}@example.org", name=str(number % 3))
    rows = (
        User.objects.filter(email__contains="rider-")
        .annotate(houses=Count("memberships"))
        .order_by("-name", "houses", "-pk")
    )
    pages = LatePages(rows, 5)
    assert pages.num_pages == 5
    found = [row for number in pages.page_range for row in pages.page(number)]
    assert found == list(rows)
    assert all(row.houses == 0 for row in found)


def test_a_list_without_rows_has_one_empty_page():
    assert list(LatePages(User.objects.filter(email="nobody").order_by("pk"), 5).page(1)) == []
