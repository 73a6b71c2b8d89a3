"""Luca writes a price list line by line and sees what it comes to before anybody pays it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from charging.tariffs import services
from charging.tariffs.models import Tariff, TariffVersion
from charging.tariffs.rules import EXAMPLES, example_bills, read_prices
from mobility.accounts.models import Organisation, User
from mobility.core.principals import SYSTEM
from tests.charging.fixtures import NOON

pytestmark = pytest.mark.django_db
ADD = "/admin/charging/tariffversion/add/"


@pytest.fixture
def tariff(colonnine: Organisation) -> Tariff:
    return services.open_tariff(
        organisation_id=colonnine.pk,
        code="base",
        name={"it": "Base"},
        is_default=True,
        at=NOON,
        by=SYSTEM,
    )


@pytest.fixture
def desk(luca: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(luca)
    return client


def wish(tariff: Tariff, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What the page sends."""
    data: dict[str, Any] = {
        "tariff": tariff.pk,
        "valid_from": "2030-01-01T00:00",
        "lines-TOTAL_FORMS": len(lines),
        "lines-INITIAL_FORMS": 0,
        **more,
    }
    for number, line in enumerate(lines):
        data |= {f"lines-{number}-{name}": value for name, value in line.items()}
    return data


KWH = {"kind": "energy", "unit_cents": "45.5", "vat_percent": "22"}
NIGHT = {
    "kind": "energy", "unit_cents": "30", "vat_percent": "22", "start_time": "22:00",
    "end_time": "07:00",
}  # fmt: skip
PARKING = {
    "kind": "idle", "unit_cents": "10", "vat_percent": "22", "free_units": "30", "cap_cents": "500",
}  # fmt: skip


def test_example_bills_are_counted_without_keeping_anything(tariff: Tariff, desk: Client) -> None:
    page = desk.post(ADD, wish(tariff, NIGHT, KWH, PARKING, count="1"))
    assert not TariffVersion.objects.exists()
    totals = {bill.name: bill.total for bill in page.context["bills"]}
    # 6 and 20 kWh at 45.5 cents; two hours of parking less half an hour; 35 kWh by night.
    assert totals["A short stop at noon"] == "€2.73"
    assert totals["An afternoon"] == "€9.10"
    assert totals["The same, and two hours left standing"] == "€14.10"
    assert totals["A night"] == "€15.50"
    assert len(totals) == len(EXAMPLES)
    assert "€15.50" in page.content.decode()


def test_a_draft_is_kept_changed_and_published(tariff: Tariff, desk: Client) -> None:
    assert desk.post(ADD, wish(tariff, KWH, save="1")).status_code == 302
    version = TariffVersion.objects.get()
    assert (version.number, version.state) == (1, "draft")
    page = f"/admin/charging/tariffversion/{version.pk}/change/"
    shown = desk.get(page)
    assert "45.5" in shown.content.decode()
    assert [bill.total for bill in shown.context["bills"]][1] == "€9.10"

    assert desk.post(page, wish(tariff, KWH, PARKING, save="1")).status_code == 302
    version.refresh_from_db()
    assert [part["kind"] for part in version.components] == ["energy", "idle"]
    assert desk.post(page, wish(tariff, NIGHT, KWH, publish="1")).status_code == 302
    version.refresh_from_db()
    assert version.state == "published"
    assert version.components[0]["when"] == {"start_time": "22:00", "end_time": "07:00"}
    read = desk.get(page)
    assert "€9.10" in read.content.decode()
    assert desk.post(page, wish(tariff, KWH, save="1")).status_code == 403


def test_a_line_that_is_struck_goes(tariff: Tariff, desk: Client) -> None:
    desk.post(ADD, wish(tariff, KWH, PARKING | {"DELETE": "on"}, save="1"))
    [component] = TariffVersion.objects.get().components
    assert component["kind"] == "energy"


def test_conditions_the_form_does_not_know_are_kept(tariff: Tariff, desk: Client) -> None:
    version = services.draft_version(
        tariff_id=tariff.pk,
        components=[
            {"kind": "time", "unit_cents": "5", "when": {"min_power": "11", "min_kwh": "2"}},
            {"kind": "energy", "unit_cents": "40", "vat_rate": "0.10", "step": 500},
        ],
        valid_from=NOON,
        at=NOON,
        by=SYSTEM,
    )
    before = version.components
    page = f"/admin/charging/tariffversion/{version.pk}/change/"
    shown = desk.get(page).context
    lines = [
        {name: value for name, value in line.initial.items() if value is not None}
        for line in shown["lines"]
        if line.initial
    ]
    assert desk.post(page, wish(tariff, *lines, save="1")).status_code == 302
    version.refresh_from_db()
    assert read_prices({"components": version.components}) == read_prices({"components": before})


@pytest.mark.parametrize(
    "wrong",
    [
        {"unit_cents": "-1"},
        {"unit_cents": ""},
        {"vat_percent": "100"},
        {"kind": "air"},
        {"start_time": "25:00"},
        {"min_kwh": "5", "max_kwh": "2"},
        {"more": "{"},
        {"more": '{"weather": "rain"}'},
        {"more": '{"max_power": [1]}'},
    ],
)
def test_what_makes_no_sense_is_marked(tariff: Tariff, desk: Client, wrong: dict[str, str]) -> None:
    page = desk.post(ADD, wish(tariff, KWH | wrong, publish="1"))
    assert page.status_code == 200
    assert "Please correct" in page.content.decode()
    assert not TariffVersion.objects.exists()


def test_dates_and_limits_are_checked(tariff: Tariff, desk: Client) -> None:
    for wrong in ({"valid_until": "2029-01-01T00:00"}, {"min_cents": "900", "max_cents": "100"}):
        assert desk.post(ADD, wish(tariff, KWH, save="1", **wrong)).status_code == 200
    assert desk.post(ADD, wish(tariff, save="1")).status_code == 200
    assert not TariffVersion.objects.exists()


def test_two_prices_at_once_are_refused_in_words(tariff: Tariff, desk: Client) -> None:
    for _time in range(2):
        page = desk.post(ADD, wish(tariff, KWH, publish="1"))
    assert "Another published version" in page.content.decode()


def test_nobody_drafts_for_another_operator(tariff: Tariff, scossa: User) -> None:
    foreign = Client()
    foreign.force_login(scossa)
    assert foreign.post(ADD, wish(tariff, KWH, save="1")).status_code == 200
    version = services.draft_version(
        tariff_id=tariff.pk,
        components=[{"kind": "energy", "unit_cents": "1"}],
        valid_from=NOON,
        at=NOON,
        by=SYSTEM,
    )
    page = f"/admin/charging/tariffversion/{version.pk}/change/"
    foreign.post(page, wish(tariff, KWH, publish="1"))
    version.refresh_from_db()
    assert (version.state, TariffVersion.objects.count()) == ("draft", 1)


@pytest.mark.parametrize("days", range(0, 366, 30))
def test_examples_cost_what_the_price_rule_says_on_any_day(days: int) -> None:
    prices = read_prices({"components": [{"kind": "energy", "unit_cents": "50"}]})
    bills = example_bills(prices, at=NOON + timedelta(days=days))
    assert [bill.cents for bill in bills] == [one.energy_wh // 20 for one in EXAMPLES]
    assert {bill.kwh_cents for bill in bills} == {Decimal(50)}
