"""Licence, identity, rules: sent, checked, refused, confirmed; and why one may not drive yet."""

import datetime
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from bookings.riders import services
from bookings.riders.models import AccessPolicy, DrivingLicence, IdentityCheck
from bookings.riders.states import DocumentState, TextKind
from mobility.accounts.models import Organisation, User
from mobility.core import clock
from mobility.core.principals import SYSTEM

pytestmark = pytest.mark.django_db
Picture = Callable[[], SimpleUploadedFile]

PAPERS = "/profile/papers/"
LICENCE = "/profile/papers/licence/"


def day(years: int) -> str:
    return (clock.service_day(clock.now()) + datetime.timedelta(days=365 * years)).isoformat()


def licence(picture: Picture, **changed: object) -> dict[str, object]:
    return {
        "number": "MI1234567A",
        "country": "it",
        "categories": ["AM", "B"],
        "held_since": day(-6),
        "valid_until": day(4),
        "front": picture(),
        "back": picture(),
        **changed,
    }


@pytest.fixture
def demands(ruote: Organisation) -> AccessPolicy:
    """Ruote's cars want a licence, an adult, and the rules confirmed."""
    services.ensure_text(
        kind=TextKind.RULES,
        title={"en": "Rules"},
        body={"en": "Park in nobody's way."},
        at=clock.now(),
        by=SYSTEM,
    )
    return AccessPolicy.objects.create(
        organisation=ruote,
        vehicle_kind="car",
        licence_category="B",
        minimum_age=18,
        acknowledgements=["rules"],
    )


def test_whoever_may_not_drive_reads_why_and_where_it_is_put_right(
    browser: Client, demands: AccessPolicy
) -> None:
    page = browser.get(PAPERS).content.decode()

    assert "Your driving licence must be verified first." in page
    assert "We do not know your date of birth." in page
    assert "There are rules that you have not confirmed yet." in page
    for way in (LICENCE, "/profile/about/", "/profile/rules/"):
        assert f'href="{way}"' in page


def test_a_licence_is_sent_and_waits_for_its_check(
    browser: Client, giulia: User, demands: AccessPolicy, picture: Picture
) -> None:
    answer = browser.post(LICENCE, licence(picture), follow=True)

    sent = DrivingLicence.objects.get(user=giulia)
    assert answer.redirect_chain == [(PAPERS, 303)]
    assert (sent.country, sent.categories, sent.number_last3) == ("IT", ["B", "AM"], "67A")
    page = answer.content.decode()
    assert "Waiting for review" in page
    assert "Your driving licence is being checked." in page
    assert "Send your licence" not in page, "there is nothing to be done now"


def test_what_was_typed_wrong_stands_at_its_field_and_nothing_is_kept(
    browser: Client, demands: AccessPolicy, picture: Picture
) -> None:
    answer = browser.post(LICENCE, licence(picture, country="Italy", back=""))

    assert answer.status_code == 422
    page = answer.content.decode()
    assert 'id="id_country_error"' in page
    assert 'id="id_back_error"' in page
    assert not DrivingLicence.objects.exists()


def test_an_expired_licence_is_refused_in_the_words_of_the_service(
    browser: Client, demands: AccessPolicy, picture: Picture
) -> None:
    answer = browser.post(LICENCE, licence(picture, valid_until=day(-1)))

    assert answer.status_code == 422
    assert "This document has expired already" in answer.content.decode()


def test_a_file_that_is_no_picture_is_refused(
    browser: Client, demands: AccessPolicy, picture: Picture
) -> None:
    script = SimpleUploadedFile("front.jpg", b"<script>alert(1)</script>", "image/jpeg")

    answer = browser.post(LICENCE, licence(picture, front=script))

    assert answer.status_code == 415
    assert not DrivingLicence.objects.exists()


def test_a_refused_licence_says_why(
    browser: Client, giulia: User, marco: User, demands: AccessPolicy, picture: Picture
) -> None:
    browser.post(LICENCE, licence(picture))
    services.reject_document(
        document=DrivingLicence.objects.get(user=giulia),
        reason="unreadable",
        at=clock.now(),
        by=marco.principal,
    )

    page = browser.get(PAPERS).content.decode()

    assert "The picture cannot be read." in page
    assert "Send a new one" in page


def test_an_identity_card_is_sent_without_its_optional_pictures(
    browser: Client, giulia: User, demands: AccessPolicy, picture: Picture
) -> None:
    told = {"paper": "passport", "country": "FR", "valid_until": day(3), "front": picture()}

    assert browser.post("/profile/papers/identity/", told).status_code == 303
    assert IdentityCheck.objects.get(user=giulia).state == DocumentState.SUBMITTED


def test_rules_are_read_and_confirmed_once(
    browser: Client, giulia: User, demands: AccessPolicy
) -> None:
    page = browser.get("/profile/rules/").content.decode()
    [text] = [part.split('"')[0] for part in page.split('name="texts" value="')[1:]]
    assert "Park in nobody&#x27;s way." in page

    browser.post("/profile/rules/", {"texts": [text]})

    assert giulia.acknowledgements.count() == 1
    after = browser.get("/profile/rules/").content.decode()
    assert "You confirmed them on" in after
    assert "I have read them" not in after


def test_rules_that_are_not_in_force_cannot_be_confirmed(
    browser: Client, giulia: User, demands: AccessPolicy
) -> None:
    unknown = "018f3f3e-0000-7000-8000-000000000001"

    answer = browser.post("/profile/rules/", {"texts": [unknown]}, follow=True)

    assert "We could not find these rules." in answer.content.decode()
    assert not giulia.acknowledgements.exists()
