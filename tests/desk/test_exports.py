"""Every list of the admin as a file: one's own rows, as they are filtered, and a trace of who had it."""

import csv
import io
from collections.abc import Callable

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from fleet.vehicles.models import Vehicle
from mobility.accounts.models import User
from mobility.accounts.scoped_admin import ScopedAdmin
from mobility.core.models import AuditEntry
from tests.desk.test_trends import alarms
from tests.tenancy.conftest import WholeCity, whole_city

pytestmark = pytest.mark.django_db
__all__ = ["whole_city"]

LIST = "/admin/fleet/alarm/"


def desk(user: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def rows(client: Client, **filters: str) -> list[dict[str, str]]:
    answer = client.get(LIST, {**filters, "export_as": "csv"})
    assert answer["Content-Type"].startswith("text/csv"), answer.status_code
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


def test_a_list_is_had_as_it_is_filtered(
    make_vehicle: Callable[..., Vehicle], marco: User, rivale: User
) -> None:
    alarms(make_vehicle(code="ONE"), 1)
    alarms(make_vehicle(code="TWO"), 1, 2)
    client = desk(marco)
    assert "export_as=csv" in client.get(LIST).content.decode()
    assert len(rows(client)) == 3
    assert len(rows(client, q="TWO")) == 2
    assert rows(desk(rivale)) == []
    traces = AuditEntry.objects.filter(by=marco.principal, action="export").order_by("id")
    assert [trace.changes["rows"] for trace in traces] == [3, 2]


def test_every_list_can_be_had(whole_city: WholeCity) -> None:
    clients = [desk(whole_city.people[who]) for who in ("marco", "luca")]
    for model, page in admin.site._registry.items():
        if not isinstance(page, ScopedAdmin) or not page.exports:
            continue
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        answers = [client.get(address, {"export_as": "csv"}) for client in clients]
        assert {answer.status_code for answer in answers} <= {200, 403}, address
        assert any(answer.status_code == 200 for answer in answers) or not page.viewers, address
