"""Marco gives vehicles their devices at the desk, and sees a secret once."""

import re
from typing import Any

from django.contrib import admin
from django.test import Client, RequestFactory

from fleet.telematics.models import Device, Integration
from fleet.vehicles.models import Vehicle
from mobility.accounts.models import User
from mobility.core.models import AuditEntry
from tests.fleet.fixtures import MakeVehicle

DEVICES, INTEGRATIONS = "/admin/fleet/device/", "/admin/fleet/integration/"


def desk(person: User) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(person)
    return client


def new(person: User, vehicle: Vehicle, **fields: str) -> Any:
    form = {"vehicle": str(vehicle.pk), "protocol": "http", "model": "", "imei": "", **fields}
    return desk(person).post(f"{DEVICES}add/", form, follow=True)


def poll(secret: str) -> int:
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    return client.post("/api/v1/telemetry", b"{}", content_type="application/json").status_code


def secret_in(page: Any, prefix: str) -> str:
    found = re.search(rf"{prefix}_[\w-]+", page.content.decode())
    assert found, "no secret is shown"
    return found[0]


def test_a_new_device_shows_its_secret_once(marco: User, make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle()
    page = new(marco, scooter)
    assert page.status_code == 200
    assert poll(secret_in(page, "dev")) == 202
    assert poll(scooter.device_secret) == 403
    device = Device.objects.latest("id")
    assert "dev_" not in desk(marco).get(f"{DEVICES}{device.pk}/change/").content.decode()
    assert AuditEntry.objects.filter(action="device:add", by=marco.principal).exists()


def test_a_unit_needs_its_imei(marco: User, make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle()
    page = new(marco, scooter, protocol="teltonika", model="relay", imei="123")
    assert "15 digits" in page.content.decode()
    page = new(marco, scooter, protocol="teltonika", model="relay", imei="356307042441013")
    device = Device.objects.get(imei="356307042441013")
    assert (device.model, device.protocol) == ("relay", "teltonika")
    assert "shown only now" not in page.content.decode()
    changed = desk(marco).post(
        f"{DEVICES}{device.pk}/change/",
        {
            "model": "can",
            "assignments-TOTAL_FORMS": "0",
            "assignments-INITIAL_FORMS": "0",
        },
    )
    assert changed.status_code == 302
    device.refresh_from_db()
    assert (device.model, device.protocol) == ("can", "teltonika")


def test_only_the_operators_own_vehicles_are_offered(
    marco: User, sara: User, rivale: User, make_vehicle: MakeVehicle
) -> None:
    scooter = make_vehicle()
    make_vehicle(life_state="retired")
    before = Device.objects.count()
    form = desk(marco).get(f"{DEVICES}add/").context["adminform"].form
    assert list(form.fields["vehicle"].queryset) == [scooter]
    assert "Select a valid choice" in new(rivale, scooter).content.decode()
    assert new(sara, scooter).status_code == 403
    assert Device.objects.count() == before


def test_two_who_open_the_form_at_the_same_moment_choose_among_their_own(
    marco: User, rivale: User, make_vehicle: MakeVehicle, rf: RequestFactory
) -> None:
    """The form of one is made, then that of the other, and only then the first one is used."""
    scooter = make_vehicle()
    page, forms = admin.site.get_model_admin(Device), []
    for person in (marco, rivale):
        request = rf.get(f"{DEVICES}add/")
        request.user = person
        forms.append(page.get_form(request))
    assert list(forms[0]().fields["vehicle"].queryset) == [scooter]
    assert list(forms[1]().fields["vehicle"].queryset) == []


def test_what_is_no_id_is_no_vehicle(marco: User, make_vehicle: MakeVehicle) -> None:
    page = desk(marco).post(f"{DEVICES}add/", {"vehicle": "abc", "protocol": "http"})
    assert page.status_code == 200
    assert "Select a valid choice" in page.content.decode()


def test_a_backend_is_let_in_and_out(marco: User, rivale: User) -> None:
    ruote = marco.memberships.get().organisation
    form = {"organisation": str(ruote.pk), "name": "Backend"}
    assert "Select a valid choice" in (
        desk(rivale).post(f"{INTEGRATIONS}add/", form, follow=True).content.decode()
    )
    page = desk(marco).post(f"{INTEGRATIONS}add/", form, follow=True)
    secret = secret_in(page, "int")
    assert poll(secret) == 202
    one = Integration.objects.get()
    desk(marco).post(INTEGRATIONS, {"action": "revoke", "_selected_action": [one.pk]})
    one.refresh_from_db()
    assert one.revoked_at is not None
    entries = AuditEntry.objects.filter(by=marco.principal).values_list("action", flat=True)
    assert {"integration:add", "integration:revoke"} <= set(entries)
