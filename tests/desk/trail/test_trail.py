"""The trail of one's own people: who sees it, what it filters, what an export leaves behind."""

import csv
import io

import pytest
from django.test import Client

from mobility.accounts.models import User
from mobility.core import audit, clock
from mobility.core.models import AuditEntry

pytestmark = pytest.mark.django_db

TRAIL = "/admin/trail/"


def desk(user: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def deeds(marco: User, sara: User, rivale: User, giulia: User) -> None:
    """Sara moved something, Marco looked at Giulia, a rival did as they like."""
    for by, action, row in (
        (sara, "state:done", sara),
        (marco, "look", giulia),
        (rivale, "=cmd|calc", rivale),
    ):
        audit.record(by=by.principal, action=action, row=row, at=clock.now(), changes={"a": 1})


def actions(client: Client, **wanted: str) -> list[str]:
    page = client.get(TRAIL, wanted)
    assert page.status_code == 200
    return [
        entry.action
        for entry in page.context["entries"]
        if entry.action in {"look", "state:done", "=cmd|calc"}
    ]


def test_one_sees_ones_own_people(deeds: None, marco: User, rivale: User, sara: User) -> None:
    assert actions(desk(marco)) == ["look", "state:done"]
    assert actions(desk(rivale)) == ["=cmd|calc"]
    assert desk(sara).get(TRAIL).status_code == 403


def test_it_is_filtered(deeds: None, marco: User, sara: User, rivale: User) -> None:
    client = desk(marco)
    assert actions(client, who=sara.principal) == ["state:done"]
    assert actions(client, what="looks") == ["look"]
    assert actions(client, what="changes") == ["state:done"]
    assert actions(client, words="STATE:") == ["state:done"]
    assert actions(client, last="2020-01-01") == []
    assert actions(client, first=clock.service_day(clock.now()).isoformat()) == [
        "look",
        "state:done",
    ]
    # A stranger's name is no choice, and asks for nothing.
    assert "=cmd|calc" not in actions(client, who=rivale.principal)


def test_an_export_is_safe_for_a_spreadsheet_and_leaves_its_own_row(
    deeds: None, rivale: User
) -> None:
    answer = desk(rivale).get(TRAIL, {"export": "csv"})
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert "'=cmd|calc" in [row["action"] for row in rows]
    assert AuditEntry.objects.filter(by=rivale.principal, action="export").count() == 1


def test_what_a_colleague_does_as_a_resident_is_nobodys_business(
    marco: User, sara: User, giulia: User
) -> None:
    """A private ride moves a vehicle, too: the whole request stays out, and work beside it in."""
    done = (
        ("bookings.reservation:1", "ride", "state:held"),
        ("fleet.vehicle:7", "ride", "rental:reserved"),
        ("bookings.payment:3", "", "state:paid"),
        ("fleet.vehicle:7", "work", "life:maintenance"),
        ("mobility.membership:9", "", "created"),
    )
    AuditEntry.objects.bulk_create(
        AuditEntry(by=sara.principal, at=clock.now(), row=row, request_id=request, action=action)
        for row, request, action in done
    )
    page = desk(marco).get(TRAIL, {"who": sara.principal})
    told = {entry.action for entry in page.context["entries"]}
    assert told == {"life:maintenance", "created"}
