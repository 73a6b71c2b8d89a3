"""What staff find in the admin: their own organisation's rows, and the deeds that are theirs."""

import datetime

import pytest
from django.test import Client

from bookings.payments.models import Payment, Refund
from bookings.pricing.models import TariffVersion
from bookings.pricing.services import draft_version
from bookings.reservations.models import Reservation
from bookings.trips.models import Trip
from fleet.vehicles.models import LatestState
from mobility.core import clock
from tests.bookings.conftest import NUMBERS
from tests.bookings.pricing.test_quote import NUMBERS_AT_REST

pytestmark = pytest.mark.django_db

PAGES = [
    "tariff",
    "tariffversion",
    "payment",
    "refund",
    "receipt",
    "ledgertransaction",
    "ledgerentry",
    "ledgeraccount",
    "reservation",
    "trip",
]


@pytest.fixture
def desk():
    """`desk(marco)` is Marco's browser."""

    def sit_down(user):
        browser = Client()
        browser.force_login(user)
        return browser

    return sit_down


@pytest.fixture
def ridden(travel, rider, scooter, obey, collect, marco, api):
    """Giulia has ridden and paid, and Marco has given one euro back."""
    trip = rider.post("/api/v1/trips", {"vehicle": "SC1"}).json()["id"]
    obey(scooter)
    travel.shift(datetime.timedelta(minutes=10))
    LatestState.objects.update(at=clock.now())
    rider.post(f"/api/v1/trips/{trip}/end")
    obey(scooter)
    collect()
    payment = Payment.objects.get()
    address = f"/api/v1/payments/{payment.public_id}/refunds"
    api(marco).post(address, {"cents": 100, "reason": "wait"})
    collect()
    return trip


@pytest.mark.parametrize("page", PAGES)
def test_marco_sees_his_rows_and_strangers_none(page, ridden, desk, marco, rivale, sara, giulia):
    listed = desk(marco).get(f"/admin/bookings/{page}/")
    assert listed.status_code == 200
    rows = listed.context["cl"].result_list
    assert len(rows) > 0
    opened = desk(marco).get(f"/admin/bookings/{page}/{rows[0].pk}/change/")
    assert opened.status_code == 200
    strange = desk(rivale).get(f"/admin/bookings/{page}/")
    assert len(strange.context["cl"].result_list) == 0
    assert desk(rivale).get(f"/admin/bookings/{page}/{rows[0].pk}/change/").status_code == 302
    assert desk(sara).get(f"/admin/bookings/{page}/").status_code == 403
    assert desk(giulia).get(f"/admin/bookings/{page}/").status_code == 302


def test_the_city_officer_sees_tariffs_but_no_persons_rows(ridden, desk, elena):
    for page in PAGES:
        expected = 200 if page.startswith("tariff") else 403
        assert desk(elena).get(f"/admin/bookings/{page}/").status_code == expected


@pytest.mark.parametrize("page", ["payment", "receipt", "ledgerentry", "trip", "reservation"])
def test_nobody_types_into_trips_or_money(page, ridden, desk, marco):
    assert desk(marco).get(f"/admin/bookings/{page}/add/").status_code == 403
    row = desk(marco).get(f"/admin/bookings/{page}/").context["cl"].result_list[0]
    address = f"/admin/bookings/{page}/{row.pk}/change/"
    assert desk(marco).post(address, {"state": "x"}).status_code == 403
    assert desk(marco).post(f"/admin/bookings/{page}/{row.pk}/delete/").status_code == 403


def act(browser, page, action, row):
    return browser.post(
        f"/admin/bookings/{page}/",
        {"action": action, "_selected_action": [row.pk]},
        follow=True,
    )


def test_marco_gives_back_the_rest(ridden, desk, marco, collect):
    act(desk(marco), "payment", "give_back", Payment.objects.get())
    collect()
    assert [refund.cents for refund in Refund.objects.order_by("id")] == [100, 250]
    assert Payment.objects.get().refunded_cents == 350


def test_marco_ends_a_trip_for_a_rider_who_cannot(rider, scooter, obey, desk, marco):
    rider.post("/api/v1/trips", {"vehicle": "SC1"})
    obey(scooter)
    LatestState.objects.update(lon_e7=94_000_000)
    act(desk(marco), "trip", "end_now", Trip.objects.get())
    trip = Trip.objects.get()
    assert (trip.state, trip.flags) == ("ending", ["ended_by_staff"])


def test_marco_cancels_a_reservation(rider, scooter, desk, marco):
    rider.post("/api/v1/reservations", {"vehicle": "SC1"})
    act(desk(marco), "reservation", "cancel", Reservation.objects.get())
    assert Reservation.objects.get().state == "cancelled"


def test_a_draft_is_edited_published_and_then_frozen(tariff, desk, marco, rivale):
    browser = desk(marco)
    at = clock.now() + datetime.timedelta(days=30)
    draft = draft_version(tariff=tariff.tariff, valid_from=at, **NUMBERS)
    address = f"/admin/bookings/tariffversion/{draft.pk}/change/"
    form = _filled(tariff, at) | {"blocks-0-minutes": "60", "blocks-0-cents": "900"}
    unreadable = browser.post(address, {**form, "blocks-0-cents": "0"})
    assert "blocks" in unreadable.context["adminform"].form.errors
    saved = browser.post(address, {**form, "minute_cents": 30})
    assert saved.status_code == 302, saved.context["adminform"].form.errors
    draft.refresh_from_db()
    assert (draft.minute_cents, draft.blocks) == (30, [{"minutes": 60, "cents": 900}])
    act(desk(rivale), "tariffversion", "publish", draft)
    act(browser, "tariffversion", "publish", draft)
    draft.refresh_from_db()
    tariff.refresh_from_db()
    assert draft.state == "published"
    assert tariff.valid.upper == draft.valid.lower
    assert browser.post(address, form).status_code == 403
    assert TariffVersion.objects.in_force(at).get() == draft


def test_prices_by_the_hour_and_by_the_zone_are_filled_in_as_tables(tariff, desk, marco):
    browser = desk(marco)
    at = clock.now() + datetime.timedelta(days=30)
    draft = draft_version(tariff=tariff.tariff, valid_from=at, **NUMBERS)
    address = f"/admin/bookings/tariffversion/{draft.pk}/change/"
    form = _filled(tariff, at) | {
        "windows-0-start": "07:30",
        "windows-0-end": "24:00",
        "windows-0-weekdays": ["1", "2"],
        "windows-0-minute_cents": "30",
        # A line left empty before another is no line.
        "zone_fees-1-when": "end",
        "zone_fees-1-kind": "bay",
        "zone_fees-1-cents": "-50",
    }
    saved = browser.post(address, form)
    assert saved.status_code == 302, saved.context["adminform"].form.errors
    draft.refresh_from_db()
    assert draft.windows == [
        {"start": "07:30", "end": "24:00", "weekdays": [1, 2], "minute_cents": 30}
    ]
    assert draft.zone_fees == [{"when": "end", "kind": "bay", "cents": -50}]
    page = browser.get(address).content.decode()
    assert 'name="windows-0-end" value="24:00"' in page
    act(browser, "tariffversion", "publish", draft)
    frozen = browser.get(address, headers={"accept-language": "en"}).content.decode()
    assert "<td>07:30</td><td>24:00</td><td>Monday, Tuesday</td><td>30</td>" in frozen
    assert "<td>ends</td><td>Parking bay</td><td></td><td>-50</td>" in frozen
    assert 'name="zone_fees-0-cents" value="-50"' in page
    assert 'name="zone_fees-2-cents"' in page


def test_a_line_of_prices_that_cannot_be_read_is_named_and_nothing_is_lost(tariff, desk, marco):
    browser = desk(marco)
    at = clock.now() + datetime.timedelta(days=30)
    draft = draft_version(tariff=tariff.tariff, valid_from=at, **NUMBERS)
    address = f"/admin/bookings/tariffversion/{draft.pk}/change/"
    typed = {"steps-0-minutes": "half an hour", "steps-0-cents": "100"}
    answer = browser.post(address, _filled(tariff, at) | typed)
    (told,) = answer.context["adminform"].form.errors["steps"]
    assert told.startswith("Riga 1, ogni tanti minuti iniziati: ")
    assert 'value="half an hour"' in answer.content.decode()
    draft.refresh_from_db()
    assert draft.steps == []


def _filled(tariff, at):
    """A draft's form with nothing in its tables."""
    return {
        **NUMBERS,
        "tariff": tariff.tariff.pk,
        "valid_0": at.strftime("%Y-%m-%d %H:%M:%S"),
        "valid_1": "",
        "currency": "EUR",
        **dict.fromkeys(NUMBERS_AT_REST, 0),
    }
