"""What a person is told before unlocking, and what whoever writes a tariff sees beside it."""

import dataclasses
import datetime

import pytest
from django.test import Client

from bookings.pricing import services
from bookings.pricing.models import TariffVersion
from bookings.pricing.rules import FeeKind, Window, fee_lines, hold_lines
from bookings.pricing.services import draft_version, publish_version
from mobility.core import clock
from mobility.core.money import total_cents
from mobility.core.principals import SYSTEM
from tests.bookings.conftest import NUMBERS
from tests.bookings.pricing.golden import fare

pytestmark = pytest.mark.django_db

RICH = {
    "windows": [{"start": "00:00", "end": "24:00", "weekdays": [1], "minute_cents": 50}],
    "zone_fees": [{"when": "end", "kind": "bay", "cents": -50}],
    "packages": [{"minutes": 1440, "km": 100, "cents": 9000}],
    "hold_extend_minutes": 10,
    "hold_longest_minutes": 60,
    "no_show_cents": 1000,
    "late_cancel_cents": 500,
    "free_cancel_before_h": 24,
    "overstay_cents": 2000,
    "person_day_cap_cents": 4000,
    "discount_pct": 30,
    "km_cents": 25,
    "free_km": 1,
}


@pytest.fixture
def rich(tariff):
    """Ruote's new tariff, with everything in it, in force from now on."""
    version = draft_version(tariff=tariff.tariff, valid_from=clock.now(), **NUMBERS, **RICH)
    return publish_version(version_id=version.pk, at=clock.now(), by=SYSTEM)


def test_the_quote_says_everything_before_unlocking(travel, api, make_vehicle, rich):
    make_vehicle("scooter", code="SC1")
    travel.shift(datetime.timedelta(minutes=1))
    asked = {"vehicle": "SC1", "minutes": 30, "distance_m": 3000}
    told = api(None).get("/api/v1/quotes", asked).json()
    assert (told["unlock_cents"], told["minute_cents"], told["hour_cents"]) == (100, 25, 3000)
    assert told["day_cap_cents"] == 2500
    assert told["person_day_cap_cents"] == 4000
    assert (told["hold_extend_minutes"], told["hold_longest_minutes"]) == (10, 60)
    assert (told["no_show_cents"], told["late_cancel_cents"]) == (1000, 500)
    assert (told["free_cancel_before_h"], told["overstay_cents"]) == (24, 2000)
    assert (told["preauth_cents"], told["preauth_release_days"]) == (500, 7)
    assert told["packages"] == [{"minutes": 1440, "km": 100, "cents": 9000}]
    assert [row["kind"] for row in told["surcharges"]] == ["hours", "zone"]
    # It is a Monday: 1.00 and thirty minutes at 0.50, and two kilometres over the allowance.
    estimate = told["estimate"]
    assert (estimate["total_cents"], estimate["distance_m"]) == (100 + 1500 + 50, 3000)
    assert sum(part["gross_cents"] for part in estimate["vat"]) == estimate["total_cents"]


def test_a_rider_keeps_the_version_they_were_quoted(travel, rider, scooter, tariff):
    reserved = rider.post("/api/v1/reservations", {"vehicle": "SC1"}).json()
    travel.shift(datetime.timedelta(minutes=1))
    dearer = draft_version(
        tariff=tariff.tariff, valid_from=clock.now(), **{**NUMBERS, "minute_cents": 99}
    )
    publish_version(version_id=dearer.pk, at=clock.now(), by=SYSTEM)
    kept = rider.get(f"/api/v1/reservations/{reserved['id']}").json()["quote"]
    assert (kept["minute_cents"], kept["tariff_version"]) == (25, str(tariff.public_id))
    assert rider.get("/api/v1/quotes", {"vehicle": "SC1"}).json()["minute_cents"] == 99


def test_the_quote_counts_with_what_the_person_has(api, giulia, piero, scooter, ruote):
    from bookings.passes.models import PromoCode

    PromoCode.objects.create(
        organisation=ruote,
        code="HALF",
        title={"en": "Half"},
        vehicle_kinds=["scooter"],
        valid=(clock.now(), None),
        percent=50,
    )
    phone = api(giulia)
    redeemed = phone.post("/api/v1/promo-codes/redeem", {"code": "half"}).json()
    told = phone.get("/api/v1/quotes", {"vehicle": "SC1", "minutes": 20}).json()
    assert told["estimate"]["total_cents"] == 300
    assert [(row["kind"], row["id"]) for row in told["perks"]] == [("promo", redeemed["id"])]
    others = api(piero).get("/api/v1/quotes", {"vehicle": "SC1", "minutes": 20}).json()
    assert (others["estimate"]["total_cents"], others["perks"]) == (600, [])


def test_fees_and_reserved_minutes_are_lines_of_the_fare():
    terms = fare(hold_minute_cents=10, no_show_cents=1000, overstay_cents=2000)
    assert total_cents(hold_lines(fare=terms, hold_s=10 * 60)) == 0
    assert total_cents(hold_lines(fare=terms, hold_s=10 * 60 + 1)) == 10
    assert [line.kind for line in fee_lines(fare=terms, kind=FeeKind.NO_SHOW)] == ["no_show"]
    assert total_cents(fee_lines(fare=terms, kind=FeeKind.OVERSTAY)) == 2000
    assert fee_lines(fare=terms, kind=FeeKind.LATE_CANCEL) == ()


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"windows": [{"start": "7", "end": "09:30", "minute_cents": 1}]}, "07:30"),
        ({"windows": [{"start": "07:30", "end": "07:30", "minute_cents": 1}]}, "another end"),
        ({"windows": [{"start": "07:30", "end": "09:30"}]}, "need a price"),
        (
            {"windows": [{"start": "07:30", "end": "09:30", "minute_cents": 1, "weekdays": [0]}]},
            "Monday",
        ),
        ({"windows": [{"from": "07:30"}]}, "no “from” here"),
        ({"windows": "07:30"}, "must be a list"),
        ({"windows": [7]}, "must be an object"),
        ({"zone_fees": [{"when": "later", "code": "x", "cents": 1}]}, "start or end"),
        ({"zone_fees": [{"when": "end", "cents": 1}]}, "Name the zone"),
        ({"zone_fees": [{"when": "end", "code": "x", "cents": 0}]}, "not 0"),
        ({"packages": [{"minutes": 1440}]}, "“cents” must be a whole number"),
        ({"packages": [{"minutes": True, "cents": 5}]}, "“minutes” must be a whole number"),
        ({"steps": [{"until": 30, "minutes": 30, "cents": 5}]}, "must go on for ever"),
        (
            {"steps": [{"minutes": 30, "cents": 5}, {"minutes": 60, "cents": 5}]},
            "Only the last step",
        ),
        (
            {"steps": [{"until": 40, "minutes": 30, "cents": 5}, {"minutes": 60, "cents": 5}]},
            "whole steps",
        ),
        (
            {
                "steps": [{"minutes": 30, "cents": 5}],
                "blocks": [{"minutes": 60, "cents": 900}],
            },
            "Steps already price",
        ),
    ],
)
def test_what_nobody_could_read_is_refused_with_row_and_reason(tariff, parts, said):
    with pytest.raises(services.NumbersInvalid) as refused:
        draft_version(tariff=tariff.tariff, valid_from=clock.now(), **NUMBERS, **parts)
    assert said in refused.value.detail


def test_marco_sees_example_bills_beside_his_draft_and_errors_beside_their_field(tariff, marco):
    at = clock.now() + datetime.timedelta(days=30)
    draft = draft_version(tariff=tariff.tariff, valid_from=at, **NUMBERS)
    browser = Client()
    browser.force_login(marco)
    address = f"/admin/bookings/tariffversion/{draft.pk}/change/"
    page = browser.get(address, headers={"accept-language": "en"}).content.decode()
    # 10, 30, 60 and 240 minutes, and a whole day; the cap of 25.00 holds from 97 minutes on.
    for bill in ("3.50", "8.50", "16.00", "25.00"):
        assert bill in page
    form = {
        **NUMBERS,
        "tariff": tariff.tariff.pk,
        "valid_0": at.strftime("%Y-%m-%d %H:%M:%S"),
        "valid_1": "",
        "currency": "EUR",
        **dict.fromkeys(NUMBERS_AT_REST, 0),
    }
    never = {"windows-0-start": "25:00", "windows-0-end": "26:00", "windows-0-minute_cents": "1"}
    wrong = browser.post(address, form | never)
    assert list(wrong.context["adminform"].form.errors) == ["windows"]
    steps = {"steps-0-minutes": "30", "steps-0-cents": "5"}
    wrong = browser.post(
        address, form | steps | {"blocks-0-minutes": "60", "blocks-0-cents": "900"}
    )
    assert list(wrong.context["adminform"].form.errors) == ["steps"]
    night = {"windows-0-start": "22:00", "windows-0-end": "06:00", "windows-0-minute_cents": "10"}
    saved = browser.post(address, form | night)
    assert saved.status_code == 302, saved.context["adminform"].form.errors
    kept = TariffVersion.objects.get(pk=draft.pk).fare()
    assert kept.windows == (Window(start="22:00", end="06:00", minute_cents=10),)


def test_marco_drafts_the_next_version_out_of_the_one_in_force(travel, rich, marco, rivale):
    stranger, browser = Client(), Client()
    stranger.force_login(rivale)
    browser.force_login(marco)
    deed = {"action": "draft_next", "_selected_action": [rich.pk]}
    stranger.post("/admin/bookings/tariffversion/", deed)
    assert not TariffVersion.objects.filter(state="draft").exists()
    browser.post("/admin/bookings/tariffversion/", deed)
    draft = TariffVersion.objects.get(state="draft")
    # The clock stands at 10:00 in Milan on 4 May; the next midnight there is 22:00 UTC.
    assert draft.valid.lower == datetime.datetime(2026, 5, 4, 22, 0, tzinfo=datetime.UTC)
    copied = draft.fare()
    assert dataclasses.replace(copied, version=rich.fare().version) == rich.fare()


NUMBERS_AT_REST = (
    "hold_minute_cents",
    "hold_extend_minutes",
    "hold_longest_minutes",
    "km_cents",
    "free_km",
    "discount_pct",
    "no_show_cents",
    "late_cancel_cents",
    "free_cancel_before_h",
    "overstay_cents",
)
