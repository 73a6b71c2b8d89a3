"""Signing in, tokens, and what a person learns of themselves."""

import datetime

import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from mobility.accounts import services
from mobility.accounts.models import ApiToken, User
from mobility.core import clock
from mobility.core.principals import SYSTEM

pytestmark = pytest.mark.django_db


@pytest.fixture
def password(giulia: User) -> str:
    giulia.set_password("una-bella-giornata")
    giulia.save()
    return "una-bella-giornata"


def sign_in(client: APIClient, password: str) -> dict[str, str]:
    answer = client.post(
        "/api/v1/auth/token", {"email": "Giulia@demo.example", "password": password}
    )
    body: dict[str, str] = answer.json() | {"status": answer.status_code}
    return body


def test_the_right_password_gives_a_token_that_works(api, password: str) -> None:
    client = api(None)
    answer = sign_in(client, password)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {answer['token']}")
    assert client.get("/api/v1/me").json()["email"] == "giulia@demo.example"


def test_a_wrong_password_says_no_more_than_that(api, password: str) -> None:
    answer = sign_in(api(None), "sbagliata")
    assert (answer["status"], answer["code"]) == (401, "sign_in_refused")


def test_guessing_is_slowed_down(api, password: str) -> None:
    client = api(None)
    statuses = [sign_in(client, f"guess {number}")["status"] for number in range(11)]
    assert statuses[-1] == 429
    assert statuses[0] == 401


def test_only_the_hash_of_a_token_is_kept(giulia: User) -> None:
    token, secret = services.issue_token(user=giulia, label="x", at=clock.now(), by=SYSTEM)
    assert secret not in str(ApiToken.objects.filter(pk=token.pk).values())


@pytest.mark.parametrize("case", ["revoked", "expired", "closed account", "unknown"])
def test_a_token_that_is_no_good_opens_nothing(api, giulia: User, case: str) -> None:
    at = clock.now()
    token, secret = services.issue_token(
        user=giulia, label="x", at=at, by=SYSTEM, lifetime=datetime.timedelta(hours=1)
    )
    if case == "revoked":
        services.revoke_token(token=token, at=at, by=SYSTEM)
    elif case == "expired":
        ApiToken.objects.update(expires_at=at)
    elif case == "closed account":
        User.objects.filter(pk=giulia.pk).update(is_active=False)
    else:
        secret += "x"
    client = api(None)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    assert client.get("/api/v1/me").json()["code"] == "token_refused"


def test_a_person_sees_their_roles(api, marco: User) -> None:
    assert api(marco).get("/api/v1/me").json()["roles"] == [
        {"organisation": "ruote", "organisation_name": "Ruote di Milano", "role": "fleet_operator"}
    ]


def test_a_token_comes_from_the_command_line(
    api, giulia: User, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("issue_token", "GIULIA@demo.example")
    client = api(None)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {capsys.readouterr().out.strip()}")
    assert client.get("/api/v1/me").status_code == 200


def test_a_token_for_nobody_is_refused(db: None) -> None:
    with pytest.raises(CommandError, match="There is no account"):
        call_command("issue_token", "nessuno@demo.example")
