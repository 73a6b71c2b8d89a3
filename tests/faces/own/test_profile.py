"""The profile: particulars, consents, a copy of one's data, erasure."""

from typing import Any

import pytest
from django.test import Client

from bookings.riders.models import RiderProfile
from mobility import urls
from mobility.accounts.consents import CONSENT_VERSION, has_consented
from mobility.accounts.models import PrivacyRequest, User
from mobility.resident.pages import OwnPage
from tests.tenancy.test_api import names_of

pytestmark = pytest.mark.django_db

ABOUT, CONSENTS, ERASE = "/profile/about/", "/profile/consents/", "/profile/erase/"


def test_particulars_are_kept_and_numbers_may_have_spaces(browser: Client, giulia: User) -> None:
    browser.post(ABOUT, {"birth_date": "1990-05-17", "phone": "+39 02 1234567"})

    kept = RiderProfile.objects.get(user=giulia)
    assert (str(kept.birth_date), kept.phone) == ("1990-05-17", "+39021234567")
    assert 'value="1990-05-17"' in browser.get(ABOUT).content.decode()


def test_a_birthday_in_the_future_is_refused_at_its_field(browser: Client, giulia: User) -> None:
    answer = browser.post(ABOUT, {"birth_date": "2099-01-01"})

    assert answer.status_code == 422
    assert 'id="id_birth_date_error"' in answer.content.decode()


def test_telling_of_reduced_mobility_is_the_consent_and_unticking_takes_it_back(
    browser: Client, giulia: User
) -> None:
    browser.post(ABOUT, {"reduced_mobility": "on"})
    assert has_consented(user_id=giulia.pk, topic="reduced_mobility")

    browser.post(ABOUT, {})

    assert not has_consented(user_id=giulia.pk, topic="reduced_mobility")
    assert not RiderProfile.objects.get(user=giulia).reduced_mobility


def test_consents_are_given_to_a_version_and_taken_back(browser: Client, giulia: User) -> None:
    browser.post(CONSENTS, {"topic": "research", "version": CONSENT_VERSION})
    assert has_consented(user_id=giulia.pk, topic="research")
    assert "Agreed on" in browser.get(CONSENTS).content.decode()

    browser.post(CONSENTS, {"topic": "research", "version": CONSENT_VERSION, "withdraw": "1"})

    assert not has_consented(user_id=giulia.pk, topic="research")


def test_an_old_text_of_a_consent_counts_for_nothing(browser: Client, giulia: User) -> None:
    answer = browser.post(CONSENTS, {"topic": "marketing", "version": "1999-01"}, follow=True)

    assert "This text has changed." in answer.content.decode()
    assert not has_consented(user_id=giulia.pk, topic="marketing")


def test_a_copy_of_ones_data_is_asked_for_once(browser: Client, giulia: User) -> None:
    for _ in range(2):
        browser.post("/profile/data/")

    assert PrivacyRequest.objects.filter(user=giulia, kind="export").count() == 1


def test_nobody_is_erased_without_the_password(browser: Client, giulia: User) -> None:
    giulia.set_password("correct horse battery")
    giulia.save()
    browser.force_login(giulia, backend="django.contrib.auth.backends.ModelBackend")

    unsure = browser.post(ERASE, {"password": "correct horse battery"})
    wrong = browser.post(ERASE, {"password": "wrong", "sure": "on"})
    giulia.refresh_from_db()
    assert (unsure.status_code, wrong.status_code, giulia.is_active) == (422, 403, True)
    assert "Confirm with your password" in wrong.content.decode()

    done = browser.post(ERASE, {"password": "correct horse battery", "sure": "on"})

    giulia.refresh_from_db()
    assert done.status_code == 303
    assert not giulia.is_active
    assert browser.get("/profile/").status_code == 302


def test_staff_are_told_what_must_be_finished_first(marco: User) -> None:
    marco.set_password("correct horse battery")
    marco.save()
    browser = Client(headers={"accept-language": "en"})
    browser.force_login(marco, backend="django.contrib.auth.backends.ModelBackend")

    answer = browser.post(ERASE, {"password": "correct horse battery", "sure": "on"})

    assert answer.status_code == 409
    assert "You work for an organisation" in answer.content.decode()


def test_forms_count_towards_the_same_limits_as_the_api(browser: Client, settings: Any) -> None:
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"promo-codes": ["2/hour"]}

    answers = [browser.post("/wallet/codes/", {"code": "NOPE"}, follow=True) for _ in range(3)]

    assert [b"Too many attempts" in one.content for one in answers] == [False, False, True]


def test_every_limit_that_a_page_shares_is_one_of_the_api() -> None:
    doors = {page.same_door for page in every_page(OwnPage)}

    assert doors - {""} <= {f"api:{name}" for name in names_of(urls.api)}


def every_page(kind: type[OwnPage]) -> list[type[OwnPage]]:
    return [kind, *(page for below in kind.__subclasses__() for page in every_page(below))]
