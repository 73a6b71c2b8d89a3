"""What a draft of zones runs into: what is published, the hubs, and who is riding."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from fleet.rebalancing.cells import cell_at
from fleet.vehicles.models import Vehicle
from fleet.vehicles.states import RentalState
from mobility.accounts.models import Organisation, User
from mobility.core import geo
from mobility.geography.models import City, Hub
from tests.fleet.zones.drawing import OPERATING, MakeZone
from tests.fleet.zones.sets import AREA, PARK, SETS, Desk, feature

pytestmark = pytest.mark.django_db

Api = Callable[[User | None], APIClient]
ELSEWHERE = (9.181, 45.441, 9.183, 45.443)


def runs_into(client: APIClient, draft: str) -> list[dict[str, Any]]:
    answer = client.get(f"{SETS}/{draft}/conflicts")
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["conflicts"]
    return found


def codes(found: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(one["code"], one["zone"]) for one in found]


def test_what_is_new_gone_and_different_is_told(api: Api, milan: City, marco: User) -> None:
    desk = Desk(api(marco))
    first = desk.draft(AREA, feature("slow", PARK, rules=[{"maximum_speed_kmh": 6}]), empty=True)
    assert desk.publish(first, acknowledge_warnings=True).status_code == 200
    same = desk.draft()
    assert runs_into(desk.client, same) == []
    second = desk.draft(
        AREA | {"geometry": feature("operating", (9.18, 45.44, 9.23, 45.46))["geometry"]},
        feature("no_park", PARK),
    )
    assert codes(runs_into(desk.client, second)) == [
        ("zone_added", "no_park"),
        ("zone_changed", "operating"),
        ("zone_removed", "slow"),
    ]


def test_a_bay_in_the_citys_no_parking_is_a_disagreement(
    api: Api, milan: City, comune: Organisation, marco: User, make_zone: MakeZone
) -> None:
    make_zone("no_park", PARK, organisation=comune, code="duomo")
    desk = Desk(api(marco))
    bay = (9.192, 45.447, 9.1925, 45.4475)
    draft = desk.draft(feature("bay", bay, capacity=4), AREA, empty=True)
    (found,) = [one for one in runs_into(desk.client, draft) if one["code"] == "other_set"]
    assert (found["severity"], found["zone"]) == ("warning", "bay")
    assert "duomo" in found["message"]
    assert 9.192 <= found["lon"] <= 9.1925


def test_another_operators_zones_are_no_conflict(
    api: Api, milan: City, rivale: User, marco: User, make_zone: MakeZone
) -> None:
    other = rivale.memberships.get().organisation
    make_zone("no_park", PARK, organisation=other)
    desk = Desk(api(marco))
    draft = desk.draft(feature("bay", PARK, capacity=4), AREA, empty=True)
    assert [one for one in runs_into(desk.client, draft) if one["code"] == "other_set"] == []


def test_hubs_where_no_ride_could_end_are_named(api: Api, milan: City, marco: User) -> None:
    Hub.objects.create(
        city=milan, code="H1", name={"it": "Romana"}, location=geo.point(9.195, 45.45)
    )
    desk = Desk(api(marco))
    bay = feature("bay", (9.1949, 45.4499, 9.1951, 45.4501), capacity=4, hub="H1")
    assert desk.publish(desk.draft(bay, AREA, empty=True)).status_code == 200
    draft = desk.draft(feature("no_park", PARK), AREA, empty=True)
    found = runs_into(desk.client, draft)
    assert [one["code"] for one in found if one["severity"] == "warning"] == [
        "bay_lost",
        "hub_closed",
    ]
    assert all("Romana" in one["message"] for one in found if one["severity"] == "warning")


def test_riders_who_would_be_caught_are_counted(
    api: Api, milan: City, marco: User, make_vehicle: Callable[..., Vehicle]
) -> None:
    for number, (lon, lat) in enumerate(((9.1961, 45.4502), (9.1962, 45.45), (9.182, 45.442))):
        rides = make_vehicle("scooter", code=f"RIDE{number}", lon=lon, lat=lat)
        Vehicle.objects.filter(pk=rides.pk).update(rental_state=RentalState.ON_TRIP)
    make_vehicle("scooter", code="STANDS", lon=9.195, lat=45.45)
    desk = Desk(api(marco))
    assert desk.publish(desk.draft(AREA, empty=True)).status_code == 200
    draft = desk.draft(feature("no_ride", PARK), AREA, empty=True)
    (found,) = [one for one in runs_into(desk.client, draft) if one["code"].startswith("riders")]
    assert found["code"] == "riders_caught"
    assert found["message"].startswith("2 under way")
    # What is shown is the zone; where its riders are, is not.
    assert found["lon"] not in (9.1961, 9.1962)
    assert PARK[0] < found["lon"] < PARK[2]
    smaller = feature("operating", (9.19, 45.44, 9.22, 45.46))
    assert OPERATING[0] < 9.182 < 9.19
    shrunk = desk.draft(smaller, empty=True)
    (beyond,) = [one for one in runs_into(desk.client, shrunk) if one["code"].startswith("riders")]
    assert (beyond["code"], beyond["message"][:1]) == ("riders_outside", "1")
    assert (beyond["lon"], beyond["lat"]) != (9.182, 45.442)
    assert cell_at(lon=beyond["lon"], lat=beyond["lat"]) == cell_at(lon=9.182, lat=45.442)


def test_the_pages_show_versions_to_those_whose_they_are(
    api: Api, milan: City, marco: User, elena: User, rivale: User, client: Any
) -> None:
    desk = Desk(api(marco))
    draft = desk.draft(AREA, empty=True)
    address = f"/admin/zones/{draft}/"
    for person, listed, opened in ((marco, True, 200), (rivale, False, 404), (elena, False, 404)):
        client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
        assert (draft in client.get("/admin/zones/").content.decode()) is listed
        assert client.get(address).status_code == opened
    client.force_login(marco, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(address)
    assert page.context["page"]["edits"] is True
    assert 'data-do="save"' in page.content.decode()
    assert desk.publish(draft).status_code == 200
    page = client.get(address)
    assert page.context["page"]["edits"] is False
    assert 'data-do="save"' not in page.content.decode()
