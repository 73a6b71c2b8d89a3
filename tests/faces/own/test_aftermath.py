"""After a ride: the photo, the objection and its answer, money back, cases of support."""

from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from bookings.support import services as support
from bookings.support.models import SupportCase
from bookings.trips import services
from bookings.trips.models import EndPhoto, Trip, TripDispute
from mobility.accounts.models import User
from mobility.core import clock
from tests.faces.own.conftest import browser_of

pytestmark = pytest.mark.django_db
Picture = Callable[[], SimpleUploadedFile]


@pytest.fixture
def ridden(
    ride: Callable[..., str], drive: Callable[..., None], finish: Callable[..., dict]
) -> Trip:
    """Giulia has ridden for ten minutes; the price is made."""
    address = ride()
    drive(minutes=10)
    finish(address)
    return Trip.objects.get()


def test_an_objection_gets_a_number_a_due_time_and_an_answer(
    browser: Client, ridden: Trip, marco: User, picture: Picture
) -> None:
    address = f"/rides/{ridden.public_id}/"
    told = {"reason": "too_expensive", "text": "I stood at a light.", "photo": picture()}

    answer = browser.post(address, told, follow=True)

    dispute = TripDispute.objects.get()
    page = answer.content.decode()
    assert dispute.case_number in page
    assert "we answer by" in page
    assert len(dispute.photos) == 1
    assert "Something is wrong?" not in page, "one at a time"
    services.accept_dispute(
        dispute=dispute, answer="You are right.", waiver="all", at=clock.now(), by=marco.principal
    )
    page = browser.get(address).content.decode()
    assert "You are right." in page
    assert "Accepted" in page


def test_money_on_its_way_back_is_shown_until_it_is_there(
    browser: Client, ridden: Trip, marco: User, collect: Callable[[], None]
) -> None:
    collect()
    dispute = services.open_dispute(
        trip=ridden, reason="other", text="", at=clock.now(), by=ridden.user.principal
    )
    services.accept_dispute(
        dispute=dispute, answer="Sorry.", waiver="all", at=clock.now(), by=marco.principal
    )

    before = browser.get(f"/rides/{ridden.public_id}/").content.decode()
    collect()
    after = browser.get(f"/rides/{ridden.public_id}/").content.decode()

    assert "Money back" in before
    assert "Paid back" in after


def test_a_photo_is_sent_within_a_day_and_objected_to_when_found_bad(
    browser: Client, ridden: Trip, marco: User, picture: Picture
) -> None:
    address = f"/rides/{ridden.public_id}/"
    browser.post(f"{address}photo/", {"photo": picture()})
    photo = EndPhoto.objects.get()
    services.review_photo(
        photo=photo, verdict="bad", reason="On the kerb", at=clock.now(), by=marco.principal
    )
    page = browser.get(address).content.decode()
    assert "On the kerb" in page
    appeal = f"{address}photos/{photo.public_id}/appeal/"
    assert appeal in page

    browser.post(appeal, {"text": "It was blown over."})

    photo.refresh_from_db()
    assert (photo.state, photo.appeal) == ("appealed", "It was blown over.")


def test_a_ride_is_nobody_elses(browser: Client, stranger: Client, ridden: Trip) -> None:
    address = f"/rides/{ridden.public_id}/"

    assert stranger.get(address).status_code == 404
    stranger.post(address, {"reason": "other"})
    assert not TripDispute.objects.exists()


def test_a_case_may_show_what_is_wrong(
    browser: Client, stranger: Client, ridden: Trip, marco: User, picture: Picture
) -> None:
    told = {"kind": "lost_item", "text": "Left in the box.", "trip": str(ridden.public_id)}
    browser.post("/help/new/", told | {"photo": picture()})
    case = SupportCase.objects.get()
    browser.post(f"/help/{case.public_id}/", {"text": "From the side.", "photo": picture()})

    shown = [f"/api/v1/files/{photo}" for said in case.messages.all() for photo in said.photos]
    page = browser.get(f"/help/{case.public_id}/").content.decode()
    assert len(shown) == 2
    assert all(address in page for address in shown)
    assert "we answer by" in page
    staff = browser_of(marco)
    for address in shown:
        assert browser.get(address).status_code == staff.get(address).status_code == 200
        assert stranger.get(address).status_code == 404


def test_a_case_is_opened_talked_about_and_withdrawn(
    browser: Client, stranger: Client, ridden: Trip, marco: User
) -> None:
    told = {"kind": "lost_item", "text": "My umbrella.", "trip": str(ridden.public_id)}
    answer = browser.post("/help/new/", told)
    case = SupportCase.objects.get()
    address = f"/help/{case.public_id}/"
    assert answer.headers["Location"] == address
    assert case.trip_id == ridden.pk
    support.answer_case(case=case, text="We have it.", at=clock.now(), by=marco.principal)

    page = browser.get(address).content.decode()
    assert "My umbrella." in page
    assert "We have it." in page
    browser.post(address, {"text": "Thank you!"})
    assert stranger.get(address).status_code == 404
    browser.post(address, {"withdraw": "1"})

    case.refresh_from_db()
    assert case.state == "resolved"
    assert case.case_number in browser.get("/help/").content.decode()


def test_nobody_asks_about_somebody_elses_ride(stranger: Client, ridden: Trip) -> None:
    told = {"kind": "price", "text": "Mine!", "trip": str(ridden.public_id)}

    assert stranger.post("/help/new/", told).status_code == 404
    assert not SupportCase.objects.exists()
