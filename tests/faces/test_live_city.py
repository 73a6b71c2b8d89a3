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
from mobility.live.rules import STAFF_FACE, VEHICLE, Picture

Client = Callable[[User | None], APIClient]
PUBLIC = Audience.public()


def seen_by(who: Audience) -> Picture:
    return queries.Watch().pictures(audiences=frozenset({who}), at=clock.now())[who]


def shown(picture: Picture) -> list[dict[str, Any]]:
    """The vehicles of a picture with their names and faces."""
    return [
        {name: row[name].item() for name in VEHICLE.names or ()}
        | dict(zip(("id", "code"), picture.labels[row["n"]], strict=True))
        | dict(zip(picture.face_columns, picture.faces[row["face"]], strict=True))
        for row in picture.vehicles
    ]


def codes(picture: Picture) -> set[str]:
    return {vehicle["code"] for vehicle in shown(picture)}


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
    (seen,) = shown(picture)
    assert (seen["id"], seen["kind"], seen["battery_pct"]) == (free.public_id, "scooter", 80)
    assert (seen["lon"], seen["lat"]) == (9_205_000, 45_451_000)
    assert (seen["heading"], seen["seen"]) == (-1, 0)


def test_staff_see_their_own_fleet_with_every_reason_and_nothing_of_others(
    make_vehicle: Any, api: Client, marco: User, rivale: User
) -> None:
    vehicle = make_vehicle("car", code="BROKEN")
    VehicleBlock.objects.create(
        vehicle=vehicle, reason=BlockReason.MAINTENANCE, since=clock.now(), placed_by="system:test"
    )

    own = seen_by(audience_of(api(marco), "staff"))
    rivals = seen_by(audience_of(api(rivale), "staff"))

    (seen,) = shown(own)
    assert own.face_columns == STAFF_FACE
    assert seen["blocks"] == (BlockReason.MAINTENANCE,)
    assert (seen["state"], seen["rentable"]) == ("non_operational", False)
    assert (seen["organisation"], seen["life_state"]) == (vehicle.organisation_id, "in_service")
    assert shown(rivals) == []


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

    watch = queries.Watch()
    watch.pictures(audiences=audiences, at=clock.now())

    with CaptureQueriesContext(
        connection,
    ) as asked:
        pictures = watch.pictures(audiences=audiences, at=clock.now())

    assert set(pictures) == audiences
    # The sites; the vehicles come by COPY, which Django does not count.
    assert len(asked) == 1


def test_every_vehicle_stands_where_its_own_rows_say(make_vehicle: Any) -> None:
    """What COPY brings is what the ORM would have brought, with every axis and nothing known."""
    made = [
        make_vehicle("scooter", lon=9.1 + place / 100, battery_pct=battery, **axes)
        for place, (battery, axes) in enumerate(
            [
                (80, {}),
                (None, {"rental_state": "on_trip"}),
                (5, {"life_state": "missing", "link_state": "lost"}),
                (1, {"life_state": "workshop"}),
            ]
        )
    ]
    for reason in ("low_battery", "damage"):
        VehicleBlock.objects.create(
            vehicle=made[2], reason=reason, since=clock.now(), placed_by="system:test"
        )

    seen = {vehicle["code"]: vehicle for vehicle in shown(seen_by(Audience.staff(None)))}

    assert seen.keys() == {vehicle.code for vehicle in made[:3]}
    for vehicle in made[:3]:
        latest, told = vehicle.latest, seen[vehicle.code]
        assert (told["lon"], told["lat"]) == (latest.lon_e7 // 10, latest.lat_e7 // 10)
        assert told["seen"] == int(latest.at.timestamp()) // 60
        assert told["battery_pct"] == (-1 if latest.battery_pct is None else latest.battery_pct)
        assert (told["life_state"], told["rental_state"], told["link_state"]) == (
            vehicle.life_state,
            vehicle.rental_state,
            vehicle.link_state,
        )
    assert seen[made[2].code]["blocks"] == ("damage", "low_battery")


def test_a_newcomer_gets_a_number_and_the_others_keep_theirs(make_vehicle: Any) -> None:
    watch, who = queries.Watch(), frozenset({Audience.staff(None)})
    make_vehicle(code="LATER1")
    (first,) = watch.pictures(audiences=who, at=clock.now()).values()
    make_vehicle(code="LATER2")
    (second,) = watch.pictures(audiences=who, at=clock.now()).values()

    assert first.vehicles["n"].tolist() == [0]
    assert second.vehicles["n"].tolist() == [0, 1]
    assert [code for _id, code in second.labels] == ["LATER1", "LATER2"]
