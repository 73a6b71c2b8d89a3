"""Where people stand after logging in."""

import pytest
from django.test import Client

from mobility.accounts.models import User

pytestmark = pytest.mark.django_db

PASSWORD = "una-bella-giornata"


def lands(client: Client, user: User, **fields: str) -> str:
    user.set_password(PASSWORD)
    user.save()
    answer = client.post("/accounts/login/", {"login": user.email, "password": PASSWORD, **fields})
    assert answer.status_code == 302
    return str(answer["Location"])


def test_a_resident_stands_on_the_map(client: Client, giulia: User) -> None:
    assert lands(client, giulia) == "/"


@pytest.mark.parametrize("name", ["marco", "sara", "luca", "elena"])
def test_staff_stand_at_their_desk(
    client: Client, name: str, request: pytest.FixtureRequest
) -> None:
    assert lands(client, request.getfixturevalue(name)) == "/admin/"


def test_the_page_that_somebody_came_for_goes_first(client: Client, marco: User) -> None:
    assert lands(client, marco, next="/admin/map/") == "/admin/map/"
    client.logout()
    assert lands(client, marco, next="https://elsewhere.example/") == "/admin/"
