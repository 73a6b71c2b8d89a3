"""Whose vehicles and chargers stand in whose live picture."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from charging.stations.models import Connector
from charging.stations.states import ConnectorStatus
from fleet.vehicles.models import VehicleBlock
from fleet.vehicles.states import BlockReason
from mobility.accounts.models import User
from mobility.core import clock
from mobility.live import audience, queries
from mobility.live.audience import Audience
from mobility.live.rules import STAFF_VEHICLE, Picture

Client = Callable[[User | None], APIClient]
PUBLIC = Audience.public()


def seen_by(who: Audience) -> Picture:
    return queries.pictures(audiences=frozenset({who}), at=clock.now())[who]


def codes(picture: Picture) -> set[str]:
    return {row[1] for row in picture.vehicles.values()}


def audience_of(client: APIClient, wanted: str) -> Audience:
    answer = client.get("/api/v1/live-token", {"audience": wanted}).json()
    in_url = parse_qs(urlsplit(answer["url"]).query)["token"][0]
    assert in_url == answer["token"]
    return audience.read(in_url, at=clock.now())[0]


def test_the_public_sees_only_what_it_can_rent(make_vehicle: Any) -> None:
    free, blocked = make_vehicle("scooter", code="FREE"), make_vehicle("car", code="BROKEN")
    VehicleBlock.objects.create(
        vehicle=blocked, reason=BlockReason.MAINTENANCE, since=clock.now(), placed_by="system:test"
    )

    picture = seen_by(PUBLIC)

    assert codes(picture) == {"FREE"}
    (row,) = picture.vehicles.values()
    assert row == (free.public_id, "FREE", "scooter", 9.205, 45.451, 80)


def test_staff_see_their_own_fleet_with_every_reason_and_nothing_of_others(
    make_vehicle: Any, api: Client, marco: User, rivale: User
) -> None:
    vehicle = make_vehicle("car", code="BROKEN")
    VehicleBlock.objects.create(
        vehicle=vehicle, reason=BlockReason.MAINTENANCE, since=clock.now(), placed_by="system:test"
    )

    own = seen_by(audience_of(api(marco), "staff"))
    rivals = seen_by(audience_of(api(rivale), "staff"))

    (row,) = own.vehicles.values()
    shown = dict(zip(own.vehicle_columns, row, strict=True))
    assert own.vehicle_columns == STAFF_VEHICLE
    assert shown["blocks"] == (BlockReason.MAINTENANCE,)
    assert shown["rentable"] is False
    assert rivals.vehicles == {}


def test_the_city_officer_sees_all_fleets_of_the_city(
    make_vehicle: Any, api: Client, elena: User
) -> None:
    make_vehicle("scooter", code="ONE")

    assert codes(seen_by(audience_of(api(elena), "staff"))) == {"ONE"}


@pytest.mark.parametrize("who", ["giulia", None])
def test_the_staff_map_is_closed_to_residents(
    request: pytest.FixtureRequest, api: Client, who: str | None
) -> None:
    person = request.getfixturevalue(who) if who else None

    answer = api(person).get("/api/v1/live-token", {"audience": "staff"})

    assert answer.status_code == 403
    assert answer.json()["code"] == "not_staff"
    assert api(person).get("/api/v1/live-token").status_code == 200


def test_an_unknown_audience_is_refused(api: Client) -> None:
    assert api(None).get("/api/v1/live-token", {"audience": "everything"}).status_code == 400


def test_a_charging_site_counts_its_connectors_by_what_a_driver_can_do(make_station: Any) -> None:
    make_station("CP1", connectors=3, online=True)
    make_station("CP2", connectors=1, online=False)
    first, second, third, dark = Connector.objects.order_by("pk")
    for connector, status in (
        (first, ConnectorStatus.AVAILABLE),
        (second, ConnectorStatus.OCCUPIED),
        (third, ConnectorStatus.FAULTED),
        (dark, ConnectorStatus.AVAILABLE),
    ):
        Connector.objects.filter(pk=connector.pk).update(status=status)

    (site,) = seen_by(PUBLIC).sites.values()

    _id, lon, lat, name, available, occupied, faulted, offline, total, _organisation = site
    assert (lon, lat, name) == (9.205, 45.451, {"it": "Porta Romana"})
    assert (available, occupied, faulted, offline, total) == (1, 1, 1, 1, 4)


def test_a_look_costs_two_queries_however_many_watch(make_vehicle: Any, make_station: Any) -> None:
    make_vehicle()
    make_station("CP1", online=True)
    audiences = frozenset({PUBLIC, *(Audience.staff(frozenset({number})) for number in range(5))})

    with CaptureQueriesContext(
        connection,
    ) as asked:
        pictures = queries.pictures(audiences=audiences, at=clock.now())

    assert set(pictures) == audiences
    assert len(asked) == 2
