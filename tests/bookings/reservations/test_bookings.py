"""Booking a car ahead: this one or the best of a class, the price, the calendar, changing it."""

import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bookings.payments.models import Payment
from bookings.reservations.models import Booking
from bookings.reservations.queries.cars import Place
from charging.stations.models import ChargingStation, Connector, ConnectorHold, Site
from fleet.vehicles.models import VehicleHold
from fleet.vehicles.states import RentalState
from mobility.core import clock
from mobility.core.geo import point
from mobility.core.models import OutboxEvent
from mobility.geography.models import Hub

pytestmark = pytest.mark.django_db

# The clock of these tests stands at 10:00 in Milan on Monday 4 May 2026.
TOMORROW = {"start": "2026-05-05T09:00", "end": "2026-05-05T11:00"}


@pytest.fixture(autouse=True)
def _clock(travel, car):
    """The car has just reported when the test begins."""


@pytest.fixture
def booked(driver):
    """Giulia has CAR1 tomorrow from nine to eleven."""
    answer = driver.post("/api/v1/bookings", {"vehicle": "CAR1", **TOMORROW})
    assert answer.status_code == 201, answer.json()
    return answer.json()


def at(text):
    return datetime.datetime.fromisoformat(text)


def test_a_booking_keeps_the_car_for_its_time_and_the_pause_after_it(booked, car):
    assert (booked["state"], booked["minutes"], booked["chosen"]) == ("confirmed", 120, True)
    assert booked["start_local"] == "2026-05-05T09:00:00+02:00"
    # 120 minutes at 20 cents, known before; the day's cap is not reached.
    assert booked["total_cents"] == 2400
    assert at(booked["free_until"]) == at("2026-05-04T21:00:00+02:00")
    hold = VehicleHold.objects.get()
    assert hold.ahead is True
    assert hold.during.lower == at("2026-05-05T09:00:00+02:00")
    assert hold.until == at("2026-05-05T11:15:00+02:00")
    car.refresh_from_db()
    assert car.rental_state == RentalState.FREE
    assert booked["vehicle"]["lat"] is None
    assert OutboxEvent.objects.filter(name="bookings.booking_confirmed.v1").count() == 1


def test_the_whole_price_and_the_terms_are_shown_before_anything_is_held(driver):
    answer = driver.post("/api/v1/bookings/quote", {"car_class": "ruote:test-car", **TOMORROW})
    assert answer.status_code == 200, answer.json()
    body = answer.json()
    assert (body["total_cents"], body["preauth_cents"]) == (2400, 500)
    assert body["quote"]["estimate"]["total_cents"] == 2400
    assert (body["quote"]["no_show_cents"], body["quote"]["late_cancel_cents"]) == (1500, 1000)
    assert at(body["no_show_at"]) == at("2026-05-05T09:30:00+02:00")
    assert not VehicleHold.objects.exists()


def test_bookings_that_overlap_are_refused_with_the_pause_and_touch_without_one(
    booked, piero_drives, policy
):
    for start, end in (("10:30", "12:00"), ("11:00", "12:00"), ("08:00", "09:30")):
        span = {"start": f"2026-05-05T{start}", "end": f"2026-05-05T{end}"}
        refused = piero_drives.post("/api/v1/bookings", {"vehicle": "CAR1", **span})
        assert (refused.status_code, refused.json()["code"]) == (409, "no_car_free")
    after = {"start": "2026-05-05T11:15", "end": "2026-05-05T12:00"}
    assert piero_drives.post("/api/v1/bookings", {"vehicle": "CAR1", **after}).status_code == 201


def test_without_a_pause_one_may_begin_when_the_other_ends(driver, piero_drives, policy):
    policy.buffer_minutes = 0
    policy.save()
    for phone, start, end in ((driver, "10:00", "11:00"), (piero_drives, "11:00", "12:00")):
        span = {"start": f"2026-05-05T{start}", "end": f"2026-05-05T{end}"}
        assert phone.post("/api/v1/bookings", {"vehicle": "CAR1", **span}).status_code == 201


def test_of_a_class_one_gets_the_best_charged_car_that_goes_far_enough(
    driver, piero_drives, make_vehicle
):
    make_vehicle("car", code="CAR2", battery_pct=90)
    make_vehicle("car", code="CAR3", battery_pct=30)
    tonight = {"start": "2026-05-04T18:00", "end": "2026-05-04T20:00", "range_km": 150}
    got = []
    for phone in (driver, piero_drives):
        body = phone.post("/api/v1/bookings", {"car_class": "ruote:test-car", **tonight}).json()
        got.append(body["vehicle"]["code"])
    assert got == ["CAR2", "CAR1"]
    # 30 % of 250 km do not go 150 km.
    third = piero_drives.post("/api/v1/bookings/quote", {"car_class": "ruote:test-car", **tonight})
    assert (third.status_code, third.json()["code"]) == (409, "no_car_free")


def test_a_class_at_a_hub_or_in_a_district_means_cars_that_stand_there(driver, milan, make_vehicle):
    hub = Hub.objects.create(
        city=milan, code="LAMBRATE", name={"it": "Lambrate"}, location=point(9.236, 45.485)
    )
    make_vehicle("car", code="THERE", lon=9.2361, lat=45.4851, battery_pct=50)
    make_vehicle("car", code="HOME", lon=9.10, lat=45.40, battery_pct=40, home_hub=hub)
    wish = {"car_class": "ruote:test-car", **TOMORROW}
    codes = [
        driver.post("/api/v1/bookings/quote", {**wish, **place}).json()["vehicle"]["code"]
        for place in ({"hub": "LAMBRATE"}, {"district": "27"}, {})
    ]
    assert codes == ["THERE", "CAR1", "CAR1"]
    unknown = driver.post("/api/v1/bookings/quote", {**wish, "hub": "NOWHERE"})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "place_unknown")


@pytest.mark.parametrize(
    ("span", "reasons"),
    [
        (("2026-05-03T09:00", "2026-05-03T11:00"), ["in_past"]),
        (("2026-05-05T09:00", "2026-05-05T09:00"), ["no_length"]),
        (("2026-05-05T09:00", "2026-05-05T09:10"), ["too_short"]),
        (("2026-05-05T09:00", "2026-05-09T09:00"), ["too_long"]),
        (("2026-09-05T09:00", "2026-09-09T09:00"), ["too_long", "too_far_ahead"]),
    ],
)
def test_a_span_that_cannot_be_booked_is_refused_with_all_its_faults(driver, span, reasons):
    start, end = span
    refused = driver.post("/api/v1/bookings", {"vehicle": "CAR1", "start": start, "end": end})
    assert (refused.status_code, refused.json()["code"]) == (422, "booking_span_refused")
    assert refused.json()["reasons"] == reasons


def test_a_scooter_is_not_booked_ahead(driver, make_vehicle, tariff):
    make_vehicle("scooter", code="SC1")
    refused = driver.post("/api/v1/bookings", {"vehicle": "SC1", **TOMORROW})
    assert (refused.status_code, refused.json()["code"]) == (409, "not_bookable")


def test_without_a_licence_nobody_books_and_one_that_ends_before_is_a_warning(
    rider, driver, giulia, piero, api, licensed
):
    refused = api(piero).post("/api/v1/bookings", {"vehicle": "CAR1", **TOMORROW})
    assert (refused.status_code, refused.json()["code"]) == (403, "access_refused")
    licensed(piero, valid_until=datetime.date(2026, 5, 4))
    warned = api(piero).post("/api/v1/bookings", {"vehicle": "CAR1", **TOMORROW})
    assert warned.status_code == 201, warned.json()
    assert [one["code"] for one in warned.json()["warnings"]]


def test_a_licence_that_has_expired_blocks_the_start_and_cancelling_is_free(
    piero, card, api, licensed, travel, tend
):
    card(piero)
    licensed(piero, valid_until=datetime.date(2026, 5, 4))
    phone = api(piero)
    body = phone.post("/api/v1/bookings", {"vehicle": "CAR1", **TOMORROW}).json()
    travel.move_to(at("2026-05-05T09:01:00+02:00"))
    tend()
    refused = phone.post("/api/v1/trips", {"booking": body["id"]})
    assert (refused.status_code, refused.json()["code"]) == (403, "access_refused")
    cancelled = phone.post(f"/api/v1/bookings/{body['id']}/cancel").json()
    assert (cancelled["state"], cancelled["fee_cents"]) == ("cancelled_free", 0)
    assert not Payment.objects.exists()


def test_one_person_books_one_car_at_a_time_and_not_endlessly_many(driver, booked, make_vehicle):
    make_vehicle("car", code="CAR2")
    same = driver.post("/api/v1/bookings", {"vehicle": "CAR2", **TOMORROW})
    assert (same.status_code, same.json()["code"]) == (409, "too_many_bookings")
    days = [
        driver.post(
            "/api/v1/bookings",
            {"vehicle": "CAR2", "start": f"2026-05-{day}T09:00", "end": f"2026-05-{day}T10:00"},
        ).status_code
        for day in ("06", "07", "08")
    ]
    assert days == [201, 201, 409]


def test_cancelling_is_free_in_time_costs_once_when_late_and_twice_is_once(
    driver, booked, travel, car
):
    address = f"/api/v1/bookings/{booked['id']}/cancel"
    travel.move_to(at("2026-05-04T21:00:01+02:00"))
    answers = [driver.post(address).json() for _again in range(2)]
    assert {(one["state"], one["fee_cents"]) for one in answers} == {("cancelled_late", 1000)}
    payment = Payment.objects.get()
    assert (payment.purpose, payment.amount_cents) == ("booking", 1000)
    assert VehicleHold.objects.active().count() == 0
    again = driver.post("/api/v1/bookings", {"vehicle": "CAR1", **TOMORROW}).json()
    travel.shift(datetime.timedelta(minutes=5))
    # Second thoughts of a few minutes are free, however soon it begins.
    free = driver.post(f"/api/v1/bookings/{again['id']}/cancel").json()
    assert (free["state"], free["fee_cents"]) == ("cancelled_free", 0)
    assert Payment.objects.count() == 1


def test_a_booking_is_made_shorter_and_longer_as_far_as_the_next_one(driver, booked, piero_drives):
    address = f"/api/v1/bookings/{booked['id']}"
    shorter = driver.patch(address, {"end": "2026-05-05T10:00"}).json()
    assert (shorter["minutes"], shorter["total_cents"]) == (60, 1200)
    after = {"start": "2026-05-05T13:00", "end": "2026-05-05T15:00"}
    assert piero_drives.post("/api/v1/bookings", {"vehicle": "CAR1", **after}).status_code == 201
    assert driver.patch(address, {"end": "2026-05-05T12:45"}).status_code == 200
    blocked = driver.patch(address, {"end": "2026-05-05T13:00"})
    assert (blocked.status_code, blocked.json()["code"]) == (409, "extension_blocked")
    (option,) = blocked.json()["options"]
    assert (option["option"], at(option["end"])) == ("until", at("2026-05-05T12:45:00+02:00"))
    assert driver.get(address).json()["minutes"] == 225


def test_an_extension_that_is_blocked_offers_another_car_and_takes_it(
    driver, booked, piero_drives, make_vehicle
):
    make_vehicle("car", code="CAR2")
    after = {"start": "2026-05-05T12:00", "end": "2026-05-05T15:00"}
    assert piero_drives.post("/api/v1/bookings", {"vehicle": "CAR1", **after}).status_code == 201
    address, longer = f"/api/v1/bookings/{booked['id']}", {"end": "2026-05-05T14:00"}
    blocked = driver.patch(address, longer).json()
    assert {option["option"] for option in blocked["options"]} == {"until", "other_vehicle"}
    moved = driver.patch(address, {**longer, "may_move": True})
    assert moved.status_code == 200, moved.json()
    assert (moved.json()["vehicle"]["code"], moved.json()["minutes"]) == ("CAR2", 300)
    assert VehicleHold.objects.active().count() == 2


def test_the_calendar_tells_when_and_never_who(api, booked):
    day = api(None).get("/api/v1/vehicles/CAR1/calendar", {"day": "2026-05-05"}).json()
    assert (day["hours"], len(day["slots"])) == (24, 48)
    (busy,) = day["busy"]
    assert (at(busy["start"]), at(busy["end"])) == (
        at("2026-05-05T09:00:00+02:00"),
        at("2026-05-05T11:15:00+02:00"),
    )
    taken = [slot["start_local"][11:16] for slot in day["slots"] if not slot["free"]]
    assert taken == ["09:00", "09:30", "10:00", "10:30", "11:00"]
    assert set(busy) == {"start", "end"}
    far = api(None).get("/api/v1/vehicles/CAR1/calendar", {"day": "2036-05-05"})
    assert far.status_code == 422


@pytest.mark.parametrize(("day", "hours", "halves"), [("2027-03-28", 23, 0), ("2027-10-31", 25, 2)])
def test_on_the_days_of_a_clock_change_the_calendar_shows_the_hours_there_are(
    api, travel, day, hours, halves
):
    travel.move_to(at(f"{day}T00:00:00+01:00") - datetime.timedelta(days=30))
    body = api(None).get("/api/v1/vehicles/CAR1/calendar", {"day": day}).json()
    assert body["hours"] == hours
    assert sum(slot["start_local"][11:16] == "02:30" for slot in body["slots"]) == halves


@pytest.mark.parametrize(("day", "minutes"), [("2027-03-28", 60), ("2027-10-31", 180)])
def test_the_same_wall_times_cost_what_really_passes(driver, travel, day, minutes, policy):
    travel.move_to(at(f"{day}T12:00:00+01:00") - datetime.timedelta(days=7))
    span = {"start": f"{day}T01:30", "end": f"{day}T03:30"}
    body = driver.post("/api/v1/bookings", {"vehicle": "CAR1", **span}).json()
    assert (body["minutes"], body["total_cents"]) == (minutes, minutes * 20)
    hold = VehicleHold.objects.get()
    assert hold.until - hold.during.lower == datetime.timedelta(minutes=minutes + 15)


def test_a_time_that_does_not_exist_is_refused_and_one_that_comes_twice_is_asked_about(
    driver, travel
):
    travel.move_to(at("2027-03-20T12:00:00+01:00"))
    missing = {"vehicle": "CAR1", "start": "2027-03-28T02:30", "end": "2027-03-28T05:00"}
    refused = driver.post("/api/v1/bookings", missing)
    assert (refused.status_code, refused.json()["code"]) == (422, "no_such_local_time")
    travel.move_to(at("2027-10-20T12:00:00+02:00"))
    twice = {"vehicle": "CAR1", "start": "2027-10-31T02:30", "end": "2027-10-31T05:00"}
    asked = driver.post("/api/v1/bookings", twice)
    assert (asked.status_code, asked.json()["code"]) == (422, "local_time_twice")
    assert len(asked.json()["choices"]) == 2
    second = driver.post("/api/v1/bookings", {**twice, "start_fold": 1}).json()
    assert (second["start_local"], second["minutes"]) == ("2027-10-31T02:30:00+01:00", 150)


def test_classes_show_how_many_are_free_and_what_it_costs(api, booked, make_vehicle):
    make_vehicle("car", code="CAR2", battery_pct=40)
    make_vehicle("car", code="CAR3", life_state="workshop")
    (plain,) = api(None).get("/api/v1/booking-classes").json()["results"]
    assert (plain["id"], plain["free"], plain["total_cents"]) == ("ruote:test-car", None, None)
    (spanned,) = api(None).get("/api/v1/booking-classes", TOMORROW).json()["results"]
    assert (spanned["free"], spanned["total_cents"]) == (1, 2400)
    assert spanned["longest_range_m"] == 100_000
    half = api(None).get("/api/v1/booking-classes", {"start": "2026-05-05T09:00"})
    assert half.status_code == 400
    for end, reason in (("2026-05-05T09:00", "no_length"), ("2027-05-05T09:00", "too_long")):
        odd = api(None).get("/api/v1/booking-classes", {"start": "2026-05-05T09:00", "end": end})
        assert (odd.status_code, odd.json()["reasons"]) == (422, [reason])


def test_a_connector_for_the_return_is_kept_with_the_car_and_given_free_with_it(
    driver, make_station, milan
):
    station = make_station("CP1")
    hub = Hub.objects.create(
        city=milan, code="HUB1", name={"it": "Hub"}, location=point(9.2, 45.45)
    )
    station.site.hub = hub
    station.site.save()
    wish = {"vehicle": "CAR1", **TOMORROW, "charge_hub": "HUB1"}
    body = driver.post("/api/v1/bookings", wish)
    assert body.status_code == 201, body.json()
    assert body.json()["connector_kept"] is True
    kept = ConnectorHold.objects.get()
    assert kept.during.lower == at("2026-05-05T10:45:00+02:00")
    driver.post(f"/api/v1/bookings/{body.json()['id']}/cancel")
    kept.refresh_from_db()
    assert kept.released_at is not None


def test_a_broken_connector_is_not_kept_for_the_return(driver, make_station, milan):
    hub = Hub.objects.create(
        city=milan, code="HUB1", name={"it": "Hub"}, location=point(9.2, 45.45)
    )
    stations = [make_station(name) for name in ("CP1", "CP2", "CP3")]
    Site.objects.filter(stations__in=stations).update(hub=hub)
    broken, silent, well = (Connector.objects.get(evse__station=one) for one in stations)
    Connector.objects.filter(pk=broken.pk).update(status="Faulted")
    Connector.objects.filter(pk=silent.pk).update(status="Unknown")
    Connector.objects.filter(pk=well.pk).update(status="Occupied")
    ChargingStation.objects.update(connected_at=clock.now())
    wish = {"vehicle": "CAR1", **TOMORROW, "charge_hub": "HUB1"}
    booked = driver.post("/api/v1/bookings", wish).json()
    assert ConnectorHold.objects.get().connector == well, "occupied today is free tomorrow"
    driver.post(f"/api/v1/bookings/{booked['id']}/cancel")
    Connector.objects.update(status="Unavailable")
    refused = driver.post("/api/v1/bookings", wish)
    assert (refused.status_code, refused.json()["code"]) == (409, "no_connector_free")


@given(
    lon=st.floats(9.0, 9.4), lat=st.floats(45.3, 45.6), radius_m=st.floats(1, 20_000),
    east=st.floats(-1, 1), north=st.floats(-1, 1),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_no_car_of_a_place_stands_outside_of_its_box(lon, lat, radius_m, east, north):
    place = Place(lon=lon, lat=lat, radius_m=radius_m)
    at_lon, at_lat = lon + east * radius_m / 75_000, lat + north * radius_m / 105_000
    west, south, to_east, to_north = place.box()
    if place._covers(at_lon, at_lat):
        assert west <= at_lon <= to_east
        assert south <= at_lat <= to_north


def test_without_a_free_connector_nothing_is_booked(driver, milan):
    Hub.objects.create(city=milan, code="HUB1", name={"it": "Hub"}, location=point(9.2, 45.45))
    wish = {"vehicle": "CAR1", **TOMORROW, "charge_hub": "HUB1"}
    refused = driver.post("/api/v1/bookings", wish)
    assert (refused.status_code, refused.json()["code"]) == (409, "no_connector_free")
    assert not Booking.objects.exists()
    assert not VehicleHold.objects.exists()


def test_an_instant_hold_ends_where_a_booking_begins_or_is_refused_when_that_is_soon(
    driver, piero_drives, travel, api
):
    soon = {"start": "2026-05-04T10:40", "end": "2026-05-04T12:00"}
    driver.post("/api/v1/bookings", {"vehicle": "CAR1", **soon})
    here = {"lat": 45.4511, "lon": 9.2051}
    (offer,) = api(None).get("/api/v1/vehicles", here).json()["results"]
    assert at(offer["available_until"]) == at("2026-05-04T10:40:00+02:00")
    held = piero_drives.post("/api/v1/reservations", {"vehicle": "CAR1"}).json()
    assert held["state"] == "held", held
    assert at(held["available_until"]) == at("2026-05-04T10:40:00+02:00")
    # Longer goes no further than the booking, whatever the tariff allows.
    longer = piero_drives.post(f"/api/v1/reservations/{held['id']}/extend", {"minutes": 60}).json()
    assert at(longer["expires_at"]) == at("2026-05-04T10:40:00+02:00")
    no_more = piero_drives.post(f"/api/v1/reservations/{held['id']}/extend").json()
    assert (no_more["code"], no_more["reason"]) == ("extension_refused", "booked")
    piero_drives.post(f"/api/v1/reservations/{held['id']}/cancel")
    travel.shift(datetime.timedelta(minutes=21))
    refused = piero_drives.post("/api/v1/reservations", {"vehicle": "CAR1"})
    assert (refused.status_code, refused.json()["code"]) == (409, "vehicle_booked")
    assert at(refused.json()["available_until"]) == at("2026-05-04T10:40:00+02:00")
    assert api(None).get("/api/v1/vehicles", here).json()["results"] == []
    assert api(None).get("/api/v1/vehicles/CAR1").json()["available"] is False


def test_bookings_are_their_owners_business_and_staff_see_those_of_their_cars(
    booked, api, piero, marco, rivale, elena
):
    address = f"/api/v1/bookings/{booked['id']}"
    for stranger in (piero, rivale, elena):
        assert api(stranger).get(address).status_code == 404
        assert api(stranger).post(f"{address}/cancel").status_code == 404
    assert api(marco).get(address).status_code == 200
    assert api(marco).patch(address, {"end": "2026-05-05T10:00"}).status_code == 404
    assert api(marco).get("/api/v1/bookings").json()["results"] == []
    assert clock.now() < Booking.objects.get().starts_at


def test_staff_see_a_day_of_their_cars_move_a_booking_and_cancel_without_a_fee(
    booked, api, marco, rivale, make_vehicle, travel, relay
):
    desk = api(marco)
    found = desk.get("/api/v1/fleet/bookings", {"day": "2026-05-05", "vehicle": "car1"}).json()
    assert [row["id"] for row in found["results"]] == [booked["id"]]
    assert desk.get("/api/v1/fleet/bookings", {"day": "2026-05-06"}).json()["results"] == []
    assert desk.get("/api/v1/fleet/bookings", {"state": "lost"}).status_code == 400
    assert api(rivale).get("/api/v1/fleet/bookings").json()["results"] == []
    move = f"/api/v1/fleet/bookings/{booked['id']}/move"
    assert desk.post(move).json()["code"] == "no_other_car"
    make_vehicle("car", code="CAR2")
    make_vehicle("scooter", code="SC1")
    assert desk.post(move, {"vehicle": "SC1"}).json()["code"] == "no_other_car"
    moved = desk.post(move, {"vehicle": "CAR2"}).json()
    assert (moved["vehicle"]["code"], moved["total_cents"]) == ("CAR2", booked["total_cents"])
    assert desk.post(move).json()["vehicle"]["code"] == "CAR1"
    travel.move_to(at("2026-05-05T08:00:00+02:00"))
    cancelled = desk.post(f"/api/v1/fleet/bookings/{booked['id']}/cancel").json()
    assert (cancelled["state"], cancelled["fee_cents"]) == ("cancelled_free", 0)
    assert not Payment.objects.exists()


def test_a_booking_is_not_stretched_into_ones_own_next_one_unless_two_cars_are_allowed(
    driver, booked, make_vehicle, policy
):
    make_vehicle("car", code="CAR2", battery_pct=60)
    noon = {"vehicle": "CAR2", "start": "2026-05-05T12:00", "end": "2026-05-05T13:00"}
    assert driver.post("/api/v1/bookings", noon).status_code == 201
    address, longer = f"/api/v1/bookings/{booked['id']}", {"end": "2026-05-05T12:30"}
    refused = driver.patch(address, longer)
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_bookings")
    assert driver.get(address).json()["minutes"] == 120
    assert driver.patch(address, {"end": "2026-05-05T12:00"}).status_code == 200
    policy.group_limit = 2
    policy.save()
    assert driver.patch(address, longer).status_code == 200
    assert set(Booking.objects.values_list("slot", flat=True)) == {0, 1}
