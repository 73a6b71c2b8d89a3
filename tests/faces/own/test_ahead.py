"""Bookings of cars: found, priced, booked once, changed, given back."""

import datetime
import re
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from bookings.reservations.models import Booking, ReservationPolicy
from bookings.reservations.services import Wish, book_car, tend_bookings
from bookings.reservations.states import BookingState
from bookings.trips.models import StartPhoto
from fleet.vehicles.models import LatestState, Vehicle
from mobility.accounts.models import User
from mobility.core import clock

pytestmark = pytest.mark.django_db
At = Callable[[int], str]

NEW, OFFER = "/bookings/new/", "/bookings/offer/"


@pytest.fixture
def driver(giulia: User, card: Callable[..., None], licensed: Callable[..., object]) -> User:
    """Giulia has a card and may drive."""
    card(giulia)
    licensed(giulia)
    return giulia


def fields(page: str) -> dict[str, str]:
    """What the form that books would send."""
    form = page.split('<form method="post">')[1].split("</form>")[0]
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))


def offer(browser: Client, **told: Any) -> str:
    return browser.get(OFFER, told).content.decode()


def book(browser: Client, tomorrow: At, start: int = 9, end: int = 11) -> Booking:
    page = offer(browser, vehicle="CAR1", start=tomorrow(start), end=tomorrow(end))
    answer = browser.post(OFFER, fields(page))
    assert answer.status_code == 303, answer.content.decode()
    return Booking.objects.latest("pk")


def test_classes_show_what_is_free_and_the_whole_price(
    browser: Client, driver: User, car: Vehicle, tomorrow: At
) -> None:
    page = browser.get(NEW, {"start": tomorrow(9), "end": tomorrow(11)}).content.decode()

    assert "1 car free" in page
    assert "€24.00" in page
    assert "car_class=ruote" in page
    assert "vehicle=CAR1" in page
    assert 'href="/bookings/car/CAR1/"' in page


def test_the_offer_says_price_terms_and_what_is_set_aside(
    browser: Client, driver: User, car: Vehicle, tomorrow: At
) -> None:
    page = offer(browser, vehicle="CAR1", start=tomorrow(9), end=tomorrow(11))

    assert "Book for €24.00" in page
    assert "Total, VAT included" in page
    assert "Cancelling is free until" in page
    assert "After that it costs €10.00." in page
    assert "€5.00 are set aside on your card" in page
    assert not Booking.objects.exists(), "asking holds nothing"


def test_a_car_is_booked_and_two_taps_are_one_booking(
    browser: Client, driver: User, car: Vehicle, tomorrow: At
) -> None:
    ReservationPolicy.objects.create(organisation=car.organisation, group_limit=3)
    told = fields(offer(browser, vehicle="CAR1", start=tomorrow(9), end=tomorrow(11)))

    first, second = browser.post(OFFER, told), browser.post(OFFER, told)

    booking = Booking.objects.get()
    assert booking.state == BookingState.CONFIRMED
    assert first.headers["Location"] == second.headers["Location"]
    assert str(booking.public_id) in first.headers["Location"]
    assert "CAR1" in browser.get("/bookings/").content.decode()


def test_whoever_has_no_licence_reads_so_before_choosing_and_cannot_book(
    browser: Client, giulia: User, car: Vehicle, tomorrow: At
) -> None:
    assert "Your driving licence must be verified first." in browser.get(NEW).content.decode()
    page = offer(browser, vehicle="CAR1", start=tomorrow(9), end=tomorrow(11))
    assert re.search(r"<button[^>]* disabled>Book for", page)

    answer = browser.post(OFFER, fields(page))

    assert answer.status_code == 403
    assert "You cannot ride this vehicle yet" in answer.content.decode()
    assert not Booking.objects.exists()


def test_a_car_that_somebody_else_took_meanwhile_is_said_to_be_gone(
    browser: Client, driver: User, piero: User, licensed: Callable[..., object],
    car: Vehicle, tomorrow: At,
) -> None:  # fmt: skip
    told = fields(offer(browser, vehicle="CAR1", start=tomorrow(9), end=tomorrow(11)))
    licensed(piero, number="MI99999999")
    at = clock.now()
    wish = Wish(
        vehicle=car,
        starts_at=datetime.datetime.fromisoformat(told["start"]),
        ends_at=datetime.datetime.fromisoformat(told["end"]),
    )
    book_car(user=piero, wish=wish, at=at, by=piero.principal)

    answer = browser.post(OFFER, told)

    assert answer.status_code == 409
    assert "No such car is free for this time." in answer.content.decode()


def test_each_fault_of_a_span_is_a_sentence(
    browser: Client, driver: User, car: Vehicle, tomorrow: At
) -> None:
    backwards = offer(browser, vehicle="CAR1", start=tomorrow(11), end=tomorrow(9))
    past = offer(browser, vehicle="CAR1", start="2026-01-05T09:00", end="2026-01-05T11:00")

    assert "The end must come after the beginning." in backwards
    assert "The beginning is in the past." in past


def test_an_hour_that_comes_twice_is_chosen_from_both(
    browser: Client, driver: User, car: Vehicle
) -> None:
    page = browser.get(NEW, {"start": "2027-10-31T02:30", "end": "2027-10-31T06:00"})

    shown = page.content.decode()
    assert "comes twice" in shown
    assert '<option value="2027-10-31T02:30:00+02:00"' in shown
    assert '<option value="2027-10-31T02:30:00+01:00"' in shown


def test_the_calendar_shows_what_is_taken_and_by_nobodys_name(
    browser: Client, stranger: Client, driver: User, car: Vehicle, tomorrow: At
) -> None:
    book(browser, tomorrow)

    page = stranger.get(f"/bookings/car/CAR1/?day={tomorrow(0)[:10]}").content.decode()

    assert re.search(r'<span class="slot taken">09:00', page)
    assert re.search(r'<a class="slot"[^>]*>08:00', page)
    assert "giulia" not in page.lower()


def test_a_booking_is_made_longer_and_the_price_follows(
    browser: Client, driver: User, car: Vehicle, tomorrow: At
) -> None:
    booking = book(browser, tomorrow)

    answer = browser.post(f"/bookings/{booking.public_id}/", {"end": tomorrow(13)}, follow=True)

    assert "Your booking has been changed." in answer.content.decode()
    booking.refresh_from_db()
    assert booking.minutes == 240
    assert booking.estimate_cents == 4800


def test_where_somebody_else_is_next_the_page_offers_what_can_be_done(
    browser: Client, driver: User, piero: User, licensed: Callable[..., object],
    car: Vehicle, tomorrow: At,
) -> None:  # fmt: skip
    booking = book(browser, tomorrow)
    licensed(piero, number="MI99999999")
    at = clock.now()
    wish = Wish(
        vehicle=car,
        starts_at=booking.ends_at + datetime.timedelta(hours=2),
        ends_at=booking.ends_at + datetime.timedelta(hours=4),
    )
    book_car(user=piero, wish=wish, at=at, by=piero.principal)

    answer = browser.post(f"/bookings/{booking.public_id}/", {"end": tomorrow(14)})

    page = answer.content.decode()
    assert answer.status_code == 409
    assert "The car is booked by somebody else after you." in page
    [end] = re.findall(r'name="end" value="([^"]+\+\d\d:\d\d)"', page)
    browser.post(f"/bookings/{booking.public_id}/", {"end": end})
    booking.refresh_from_db()
    assert booking.ends_at == datetime.datetime.fromisoformat(end)


def test_cancelling_says_what_it_costs_before_and_after(
    browser: Client, driver: User, car: Vehicle, tomorrow: At
) -> None:
    booking = book(browser, tomorrow)
    page = browser.get(f"/bookings/{booking.public_id}/").content.decode()
    assert "It costs you nothing." in page

    answer = browser.post(f"/bookings/{booking.public_id}/cancel/", follow=True)

    booking.refresh_from_db()
    assert booking.state == BookingState.CANCELLED_FREE
    assert "Cancelled. It costs you nothing." in answer.content.decode()


def test_a_booking_is_nobody_elses(
    browser: Client, stranger: Client, driver: User, car: Vehicle, tomorrow: At
) -> None:
    address = f"/bookings/{book(browser, tomorrow).public_id}/"

    assert stranger.get(address).status_code == 404
    stranger.post(f"{address}cancel/")
    stranger.post(address, {"end": tomorrow(13)})
    booking = Booking.objects.get()
    assert (booking.state, booking.minutes) == (BookingState.CONFIRMED, 120)


def test_a_car_that_waits_can_be_unlocked_from_its_booking(
    browser: Client, driver: User, car: Vehicle, tomorrow: At
) -> None:
    booking = book(browser, tomorrow)
    address = f"/bookings/{booking.public_id}/"
    assert "Unlock the car" not in browser.get(address).content.decode()

    with time_machine.travel(booking.starts_at - datetime.timedelta(minutes=2), tick=False):
        LatestState.objects.update(at=clock.now(), received_at=clock.now())
        tend_bookings(at=clock.now())
        browser.force_login(driver, backend="django.contrib.auth.backends.ModelBackend")
        page = browser.get(address).content.decode()

    assert 'data-do="unlock"' in page
    assert f'"booking": "{booking.public_id}"' in page


def test_what_is_scratched_is_photographed_before_the_car_is_unlocked(
    browser: Client, driver: User, car: Vehicle, tomorrow: At, picture: Callable[[], Any]
) -> None:
    booking = book(browser, tomorrow)
    address = f"/bookings/{booking.public_id}/"
    assert "As you found it" not in browser.get(address).content.decode()

    with time_machine.travel(booking.starts_at - datetime.timedelta(minutes=2), tick=False):
        LatestState.objects.update(at=clock.now(), received_at=clock.now())
        tend_bookings(at=clock.now())
        browser.force_login(driver, backend="django.contrib.auth.backends.ModelBackend")
        nothing = browser.post(f"{address}photos/", {"note": "dent"})
        rubbish = SimpleUploadedFile("photo.jpg", b"MZ no picture", content_type="image/jpeg")
        refused = browser.post(f"{address}photos/", {"photo": rubbish})
        sent = browser.post(f"{address}photos/", {"photo": picture(), "note": "dent"}, follow=True)

    page = sent.content.decode()
    assert (nothing.status_code, refused.status_code) == (422, 415)
    assert "This is not a picture we can read." in refused.content.decode()
    assert "Thank you. The photo has arrived." in page
    photo = StartPhoto.objects.get()
    assert f"/api/v1/files/{photo.file.public_id}" in page
    assert "dent" in page


def test_a_photo_for_somebody_elses_booking_leads_back(
    browser: Client, stranger: Client, driver: User, car: Vehicle, tomorrow: At,
    picture: Callable[[], Any],
) -> None:  # fmt: skip
    address = f"/bookings/{book(browser, tomorrow).public_id}/photos/"
    assert stranger.post(address, {"photo": picture()}).status_code == 303
    assert not StartPhoto.objects.exists()
