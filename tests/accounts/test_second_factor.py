"""Staff show a second factor: without one a session is a resident's."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.test import Client
from rest_framework.test import APIClient

from mobility.accounts.models import ApiToken, User

pytestmark = pytest.mark.django_db

PASSWORD = "una-bella-giornata"


@pytest.fixture(autouse=True)
def _required(settings: Any) -> None:
    settings.STAFF_SECOND_FACTOR = True


@pytest.fixture
def known(marco: User) -> User:
    """Marco with a password."""
    marco.set_password(PASSWORD)
    marco.save()
    return marco


def log_in(client: Client, user: User, **fields: str) -> Any:
    return client.post("/accounts/login/", {"login": user.email, "password": PASSWORD, **fields})


def code_of(secret: str) -> str:
    counter = next(iter(yield_hotp_counters_from_time()))
    return f"{hotp_value(secret, counter):06d}"


@pytest.fixture
def secret(known: User) -> str:
    """Marco's one-time codes are set up; this makes them."""
    made = generate_totp_secret()
    TOTP.activate(known, made)
    return str(made)


def test_a_password_alone_opens_no_page_of_the_desk(known: User, client: Client) -> None:
    assert log_in(client, known).status_code == 302
    for page in ("/admin/", "/admin/map/", "/admin/support/", "/admin/fleet/vehicle/"):
        answer = client.get(page)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/accounts/2fa/?next=%2Fadmin%2F")
    assert client.get("/accounts/2fa/").status_code == 200


def test_a_password_alone_opens_no_door_of_staff_in_the_api(known: User, client: Client) -> None:
    log_in(client, known)
    assert client.get("/api/v1/fleet/vehicles").status_code == 403
    assert client.get("/api/v1/me").status_code == 200
    assert client.get("/api/v1/trips").status_code == 200


def test_the_code_opens_the_desk(known: User, secret: str, client: Client) -> None:
    assert log_in(client, known)["Location"].startswith("/accounts/2fa/authenticate/")
    assert client.get("/admin/").status_code == 302
    client.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
    assert client.get("/admin/").status_code == 200
    assert client.get("/api/v1/fleet/vehicles").status_code == 200


def test_a_wrong_code_does_not(known: User, secret: str, client: Client) -> None:
    log_in(client, known)
    client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert client.get("/admin/").status_code == 302


def test_a_recovery_code_opens_it_once(known: User, secret: str) -> None:
    codes = RecoveryCodes.activate(known).get_unused_codes()
    for opened in (200, 302):
        client = Client()
        log_in(client, known)
        client.post("/accounts/2fa/authenticate/", {"code": codes[0]})
        assert client.get("/admin/").status_code == opened


def test_setting_one_up_goes_through_the_pages(known: User, client: Client) -> None:
    log_in(client, known)
    again = client.get("/accounts/2fa/totp/activate/")
    # Keys are changed only by who has just said the password.
    if again.status_code == 302:
        client.post(again["Location"], {"password": PASSWORD})
    page = client.get("/accounts/2fa/totp/activate/")
    assert page.status_code == 200
    made = page.context["form"].secret
    assert re.fullmatch(r"[A-Z2-7=]+", made)
    client.post("/accounts/2fa/totp/activate/", {"code": code_of(made)})
    assert Authenticator.objects.filter(user=known, type="totp").exists()
    # Log in anew: the session of before has shown a password only.
    again = Client()
    log_in(again, known)
    assert again.get("/admin/").status_code == 302


def test_a_superuser_goes_nowhere_without(client: Client) -> None:
    admin = User.objects.create_superuser("admin@demo.example", PASSWORD)
    log_in(client, admin)
    assert client.get("/api/v1/fleet/vehicles").status_code == 403
    assert client.get("/admin/")["Location"].startswith("/accounts/2fa/")
    assert client.get("/profile/")["Location"].startswith("/accounts/2fa/")


def test_residents_need_none(giulia: User, client: Client) -> None:
    giulia.set_password(PASSWORD)
    giulia.save()
    log_in(client, giulia)
    assert client.get("/profile/").status_code == 200
    assert client.get("/admin/").status_code == 403


def test_programs_of_staff_show_it_too(
    known: User, api: Callable[[User | None], APIClient]
) -> None:
    def sign_in(**fields: str) -> tuple[int, str]:
        body = {"email": known.email, "password": PASSWORD, **fields}
        answer = api(None).post("/api/v1/auth/token", body)
        return answer.status_code, answer.json().get("code", "")

    assert sign_in() == (403, "second_factor_needed")
    made = generate_totp_secret()
    TOTP.activate(known, made)
    assert sign_in() == (403, "second_factor_needed")
    assert sign_in(code="000000") == (403, "second_factor_needed")
    assert not ApiToken.objects.filter(label="sign-in").exists()
    assert sign_in(code=code_of(made)) == (201, "")
    assert sign_in(password="sbagliata") == (401, "sign_in_refused")
