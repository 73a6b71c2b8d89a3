"""Drawing zones at the desk: Marco draws the fleet's, Elena the city's."""

import json

import pytest
from django.test import Client

from fleet.zones.models import Zone
from mobility.accounts.models import Organisation, User
from mobility.geography.models import City
from tests.fleet.zones.conftest import OPERATING, MakeZone

SQUARE = [[[9.19, 45.45], [9.2, 45.45], [9.2, 45.46], [9.19, 45.46], [9.19, 45.45]]]


def desk(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def form(city: City, organisation: Organisation, **fields: object) -> dict[str, object]:
    return {
        "organisation": organisation.pk,
        "city": city.pk,
        "code": "BAY-1",
        "name": json.dumps({"it": "Stallo", "en": "Bay"}),
        "kind": "bay",
        "boundary": json.dumps({"type": "MultiPolygon", "coordinates": [SQUARE]}),
        "during_0": "2026-01-01 00:00:00",
        "during_1": "",
        **fields,
    }


def test_marco_draws_a_bay(milan: City, ruote: Organisation, marco: User) -> None:
    answer = desk(marco).post("/admin/fleet/zone/add/", form(milan, ruote))
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    zone = Zone.objects.get()
    assert (zone.kind, zone.boundary.srid, zone.vehicle_kinds) == ("bay", 4326, [])
    page = desk(marco).get(f"/admin/fleet/zone/{zone.pk}/change/").content.decode()
    assert "MultiPolygon" in page
    assert "//cdn" not in page


@pytest.mark.parametrize(
    "boundary", ["nonsense", json.dumps({"type": "Point", "coordinates": [9, 45]})]
)
def test_what_is_no_area_is_refused(
    milan: City, ruote: Organisation, marco: User, boundary: str
) -> None:
    answer = desk(marco).post("/admin/fleet/zone/add/", form(milan, ruote, boundary=boundary))
    assert "boundary" in answer.context["adminform"].form.errors
    assert not Zone.objects.exists()


def test_marco_draws_for_nobody_else(milan: City, comune: Organisation, marco: User) -> None:
    answer = desk(marco).post("/admin/fleet/zone/add/", form(milan, comune))
    assert "organisation" in answer.context["adminform"].form.errors


def test_elena_sees_the_fleets_zones_and_changes_the_citys(
    make_zone: MakeZone, comune: Organisation, elena: User
) -> None:
    fleets, citys = (
        make_zone("operating", OPERATING),
        make_zone("bay", OPERATING, organisation=comune),
    )
    client = desk(elena)
    pages = {
        zone.pk: client.get(f"/admin/fleet/zone/{zone.pk}/change/") for zone in (fleets, citys)
    }
    assert pages[citys.pk].context["has_change_permission"] is True
    assert pages[fleets.pk].context["has_change_permission"] is False
