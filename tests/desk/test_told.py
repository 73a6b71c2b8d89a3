"""Amounts and ranges in the admin: as people write them where nobody may change them, as numbers in files."""

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from django.forms import DateField, DateTimeField
from django.test import Client
from django.utils import timezone, translation
from psycopg.types.range import Range

from bookings.passes.models import PromoCode
from bookings.payments.models import FeeKind, Payment, Refund
from bookings.pricing.models import TariffVersion
from charging.tariffs.models import TariffVersion as ChargingTariffVersion
from fleet.maintenance.models import WorkOrderPart
from fleet.maintenance.services import open_order
from fleet.vehicles.models import Vehicle
from mobility.accounts.models import Organisation, User
from mobility.accounts.told import range_words
from mobility.core import clock
from mobility.core.principals import SYSTEM
from tests.desk.test_exports import desk
from tests.tenancy.conftest import WholeCity, whole_city

pytestmark = pytest.mark.django_db
__all__ = ["whole_city"]


def at(day: int, hour: int, second: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, 0, second, tzinfo=UTC)


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
        (Range(at(2, 10), None), "from 2 Nov 2026, 11:00"),
        (Range(None, at(2, 10)), "until 2 Nov 2026, 11:00"),
        (Range(at(2, 10), at(9, 10)), "2 Nov 2026, 11:00 to 9 Nov 2026, 11:00"),
        (Range(at(2, 10), at(2, 10, 20)), "2 Nov 2026, 11:00:00 to 2 Nov 2026, 11:00:20"),
        (Range(None, None), "always"),
        (Range(empty=True), "never"),
    ],
)
def test_a_range_in_words(range_: Range[datetime], words: str) -> None:
    with translation.override("en"):
        assert range_words(range_) == words


def test_what_an_editor_may_not_change_is_told_too(whole_city: WholeCity) -> None:
    """A code that somebody redeemed keeps what it promised, and the page stays a form."""
    code = PromoCode.objects.filter(organisation__slug="ruote").latest("id")
    PromoCode.objects.filter(pk=code.pk).update(
        redeemed=1, minutes=0, cents=55555, budget_cents=77777, most_cents=None
    )
    shown = page(desk(whole_city.people["marco"]), f"/admin/bookings/promocode/{code.pk}/change/")
    assert "€555.55" in shown
    assert 'value="77777"' in shown
    assert "55555" not in shown


def test_what_stands_below_a_row_is_told_to_those_who_only_look(
    whole_city: WholeCity, make_vehicle: Callable[..., Vehicle]
) -> None:
    vehicle = make_vehicle(code="PART1")
    at_ = clock.now()
    order = open_order(vehicle_id=vehicle.pk, reason="tyre", at=at_, by=SYSTEM)
    WorkOrderPart.objects.create(order=order, name="Tyre", quantity=1, unit_cost_cents=4567)
    address = f"/admin/fleet/workorder/{order.pk}/change/"
    crew = page(desk(whole_city.people["sara"]), address)
    assert "€45.67" in crew
    assert 'value="4567"' in page(desk(whole_city.people["marco"]), address)


def test_amounts_are_in_the_currency_of_what_they_belong_to(whole_city: WholeCity) -> None:
    version = ChargingTariffVersion.objects.latest("id")
    version.tariff.currency = "CHF"
    version.tariff.save()
    ChargingTariffVersion.objects.filter(pk=version.pk).update(min_cents=50)
    address = f"/admin/charging/tariffversion/{version.pk}/change/"
    assert "CHF0.50" in page(desk(whole_city.people["luca"]), address)


def test_files_have_ranges_as_iso_8601_writes_them(whole_city: WholeCity) -> None:
    text = page(desk(whole_city.people["marco"]), "/admin/bookings/tariffversion/?export_as=csv")
    [row, *_rest] = csv.DictReader(io.StringIO(text))
    [(start, end)] = [value.split("/") for value in row.values() if "/" in value]
    assert datetime.fromisoformat(start).tzinfo is not None
    assert end == ".." or datetime.fromisoformat(end)


def test_files_have_refunds_as_numbers_of_a_currency(whole_city: WholeCity) -> None:
    Refund.objects.update(cents=4321)
    text = page(desk(whole_city.people["marco"]), "/admin/bookings/refund/?export_as=csv")
    [row, *_rest] = csv.DictReader(io.StringIO(text))
    assert {"43.21", "EUR"} <= set(row.values())


@pytest.mark.parametrize("language", ["en", "it"])
def test_a_date_is_typed_as_in_europe(language: str) -> None:
    with translation.override(language):
        assert DateField().clean("06/11/2026") == date(2026, 11, 6)
        assert DateField().clean("2026-11-06") == date(2026, 11, 6)
        assert DateTimeField().clean("06/11/2026 23:15").hour == 23
