"""Amounts and ranges in the admin: as people write them where nobody may change them, as numbers in files."""

import csv
import io
import re
from datetime import UTC, date, datetime

import pytest
from django.test import Client
from django.utils import timezone, translation
from psycopg.types.range import Range

from bookings.payments.models import FeeKind, Payment, Refund
from bookings.pricing.models import TariffVersion
from mobility.accounts.models import Organisation, User
from mobility.accounts.told import range_words
from tests.desk.test_exports import desk
from tests.tenancy.conftest import WholeCity, whole_city

pytestmark = pytest.mark.django_db
__all__ = ["whole_city"]


@pytest.fixture
def parking(ruote: Organisation) -> FeeKind:
    return FeeKind.objects.create(
        organisation=ruote, code="parking", title={"en": "Parking"}, cents=123456
    )


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


@pytest.mark.parametrize(("language", "told"), [("en", "€1,234.56"), ("it", "1.234,56\u00a0€")])
def test_lists_tell_amounts(parking: FeeKind, marco: User, language: str, told: str) -> None:
    marco.language = language
    marco.save()
    client = desk(marco)
    client.cookies["django_language"] = language
    shown = page(client, "/admin/bookings/feekind/")
    assert told in shown
    assert "123456" not in shown


def test_files_have_numbers(parking: FeeKind, marco: User) -> None:
    text = page(desk(marco), "/admin/bookings/feekind/?export_as=csv")
    [row] = csv.DictReader(io.StringIO(text))
    assert "1234.56" in row.values()


def test_what_nobody_may_change_is_told_in_the_same_words(whole_city: WholeCity) -> None:
    payment = Payment.objects.filter(organisation__slug="ruote").latest("id")
    Payment.objects.filter(pk=payment.pk).update(
        amount_cents=98765, authorised_cents=98765, captured_cents=98765
    )
    Refund.objects.filter(payment=payment).update(cents=4321)
    shown = page(desk(whole_city.people["marco"]), f"/admin/bookings/payment/{payment.pk}/change/")
    assert "€987.65" in shown
    assert "€43.21" in shown
    assert "98765" not in shown
    assert "4321" not in shown


def test_what_may_be_changed_is_a_number_of_cents(parking: FeeKind, marco: User) -> None:
    shown = page(desk(marco), f"/admin/bookings/feekind/{parking.pk}/change/")
    assert 'value="123456"' in shown
    assert "In cents" in shown


def test_ranges_are_told_in_words(whole_city: WholeCity) -> None:
    version = TariffVersion.objects.filter(tariff__organisation__slug="ruote").latest("id")
    since = timezone.localtime(version.valid.lower).strftime("%H:%M")
    client = desk(whole_city.people["marco"])
    for address in ("", f"{version.pk}/change/"):
        shown = page(client, f"/admin/bookings/tariffversion/{address}")
        assert re.search(rf"from \d+ [A-Z][a-z]{{2}} \d{{4}}, {since}", shown), address


@pytest.mark.parametrize(
    ("range_", "words"),
    [
        (Range(date(2026, 11, 2), None), "from 2 Nov 2026"),
        (Range(None, date(2026, 11, 2)), "until 2 Nov 2026"),
        (Range(date(2026, 11, 2), date(2027, 1, 31)), "2 Nov 2026 to 31 Jan 2027"),
        (Range(None, None), "always"),
        (Range(datetime(2026, 7, 1, 22, tzinfo=UTC), None), "from 2 Jul 2026, 00:00"),
    ],
)
def test_a_range_in_words(range_: Range[date], words: str) -> None:
    with translation.override("en"):
        assert range_words(range_) == words
