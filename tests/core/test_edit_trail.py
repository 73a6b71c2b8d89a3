"""What staff edit by hand, the database writes down, with the person's name."""

import pytest
from django.test import Client

from mobility.accounts.models import Organisation, User
from mobility.core import geo
from mobility.core.models import AuditEntry
from mobility.geography.models import City, Hub

pytestmark = pytest.mark.django_db


@pytest.fixture
def hub(milan: City) -> Hub:
    return Hub.objects.create(
        city=milan, code="MA01", name={"it": "Lodi"}, location=geo.point(9.21, 45.44), capacity=10
    )


def test_an_edit_in_the_admin_names_the_person_and_what_changed(elena: User, hub: Hub) -> None:
    client = Client()
    client.force_login(elena)
    form = {
        "city": hub.city_id,
        "code": "MA01",
        "name_it": "Lodi",
        "kind": "mobility_area",
        "capacity": 24,
        "address": "",
    }
    assert client.post(f"/admin/mobility/hub/{hub.pk}/change/", form).status_code == 302
    entry = AuditEntry.objects.get(row=f"mobility.hub:{hub.pk}", action="edit:update")
    assert entry.by == elena.principal
    assert entry.changes["capacity"] == [10, 24]
    assert entry.request_id


def test_the_name_does_not_stick_to_the_connection(elena: User, hub: Hub) -> None:
    client = Client()
    client.force_login(elena)
    client.get("/admin/")
    hub.capacity = 11
    hub.save()
    assert (
        AuditEntry.objects.get(action="edit:update", row__startswith="mobility.hub").by
        == "system:platform"
    )


def test_raw_and_bulk_writes_do_not_slip_past(hub: Hub) -> None:
    Hub.objects.update(address="Piazzale Lodi")
    assert AuditEntry.objects.get(action="edit:update").changes == {
        "address": ["", "Piazzale Lodi"]
    }


def test_deleting_is_written_down_and_doing_nothing_is_not(ruote: Organisation) -> None:
    ruote.save()
    assert not AuditEntry.objects.filter(action="edit:update").exists()
    ruote.delete()
    assert AuditEntry.objects.get(action="edit:delete").changes["slug"] == ["ruote", None]


def test_passwords_stay_out_of_the_trail(giulia: User) -> None:
    giulia.set_password("una-bella-giornata")
    giulia.save()
    assert not any("password" in entry.changes for entry in AuditEntry.objects.all())
