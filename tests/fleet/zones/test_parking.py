"""May the vehicle stay here? And if not, where could it?"""

import datetime
from typing import Any

import pytest
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.core.cache import cache
from hypothesis import given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from fleet.zones import queries, services
from fleet.zones.rules import (
    BAYS_ONLY,
    DEFAULTS,
    MAX_MARGIN_M,
    NO_PARKING,
    OUTSIDE_OPERATING_AREA,
    Layer,
    NearbyZone,
    ParkingVerdict,
    Rule,
    Subject,
    Surroundings,
    ZoneInfo,
    judge_parking,
    margin_m,
)
from fleet.zones.services import ZoneDraft
from mobility.accounts.models import Organisation, User
from mobility.core import clock, geo
from mobility.core.principals import SYSTEM
from mobility.geography.models import City
from tests.fleet.zones.conftest import AT, OPERATING, START, MakeZone

EAST_EDGE, MIDDLE = OPERATING[2], 45.45
METRE = 1 / 78_050  # degrees of longitude at this latitude


@pytest.fixture
def verdict(milan: City, ruote: Organisation) -> Any:
    def ask(lon: float, lat: float = MIDDLE, **other: Any) -> ParkingVerdict:
        usual = {
            "city_id": milan.pk,
            "organisation_id": ruote.pk,
            "accuracy_m": 5,
            "kind": "scooter",
            "at": AT,
        }
        return queries.parking_verdict(lon=lon, lat=lat, **(usual | other))

    return ask


def test_inside_the_service_area(verdict: Any, make_zone: MakeZone) -> None:
    area = make_zone("operating", OPERATING)
    assert verdict(9.2) == ParkingVerdict(allowed=True, zone_id=area.pk)


def test_eight_metres_outside_with_a_doubt_of_fifteen(verdict: Any, make_zone: MakeZone) -> None:
    make_zone("operating", OPERATING)
    assert verdict(EAST_EDGE + 8 * METRE, accuracy_m=15).allowed
    assert not verdict(EAST_EDGE + 8 * METRE, accuracy_m=3).allowed


def test_eighty_metres_outside_names_the_way_back(verdict: Any, make_zone: MakeZone) -> None:
    make_zone("operating", OPERATING)
    refused = verdict(EAST_EDGE + 80 * METRE, accuracy_m=15)
    assert (refused.allowed, refused.reasons) == (False, (OUTSIDE_OPERATING_AREA,))
    assert refused.nearest.distance_m == pytest.approx(80, abs=1)
    assert refused.nearest.lon == pytest.approx(EAST_EDGE)
    assert set(refused.nearest.name) == {"it", "en"}


def test_a_bad_fix_does_not_buy_room(verdict: Any, make_zone: MakeZone) -> None:
    make_zone("operating", OPERATING)
    assert not verdict(EAST_EDGE + 80 * METRE, accuracy_m=500).allowed


def test_a_bay_nearby_is_offered_by_name(verdict: Any, make_zone: MakeZone) -> None:
    make_zone("operating", OPERATING)
    make_zone("no_park", (9.195, 45.445, 9.205, 45.455))
    bay = make_zone("bay", (9.2000, 45.4508, 9.2001, 45.4509), name={"it": "Stallo Crocetta"})
    refused = verdict(9.2)
    assert refused.reasons == (NO_PARKING,)
    assert refused.nearest.name == {"it": "Stallo Crocetta"}
    assert refused.nearest.distance_m == pytest.approx(95, abs=3)
    assert verdict(9.20005, 45.45085) == ParkingVerdict(allowed=True, zone_id=bay.pk)


def test_the_way_out_of_a_closed_zone(verdict: Any, make_zone: MakeZone) -> None:
    make_zone("operating", OPERATING)
    closed = make_zone("no_park", (9.199, 45.445, 9.205, 45.455))
    refused = verdict(9.2)
    assert (refused.reasons, refused.zone_id) == ((NO_PARKING,), closed.pk)
    assert refused.nearest.lon == pytest.approx(9.199)
    assert verdict(refused.nearest.lon, refused.nearest.lat).allowed
    assert verdict(9.199 + 8 * METRE, accuracy_m=15).allowed


@pytest.mark.parametrize(("far", "beyond"), [(0.005, (9.27, 9.28)), (0.05, (9.25, 9.26))])
def test_among_many_closed_zones_the_way_out_is_found_near_and_far(
    verdict: Any,
    make_zone: MakeZone,
    far: float,
    beyond: tuple[float, float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is looked for nearby first; a closed zone that begins farther on is not overlooked."""
    monkeypatch.setattr("fleet.zones.queries.parking.FEW", 1)
    make_zone("operating", (9.1, 45.40, 9.28, 45.50))
    make_zone("no_park", (9.2 - far, 45.40, 9.2 + far, 45.50))
    make_zone("no_park", (beyond[0], 45.40, beyond[1], 45.50))
    refused = verdict(9.2001)
    assert verdict(refused.nearest.lon, refused.nearest.lat, accuracy_m=0).allowed
    assert abs(refused.nearest.lon - 9.2) == pytest.approx(far, abs=1e-6)


def test_a_bay_beyond_the_area_is_no_help_from_far(verdict: Any, make_zone: MakeZone) -> None:
    make_zone("operating", OPERATING)
    make_zone("bay", (9.25, 45.45, 9.2501, 45.4501))
    refused = verdict(EAST_EDGE + 80 * METRE)
    assert refused.nearest.lon == pytest.approx(EAST_EDGE)


def test_without_a_service_area_the_city_is_the_line(verdict: Any) -> None:
    assert verdict(9.2).allowed
    assert verdict(9.5).reasons == (OUTSIDE_OPERATING_AREA,)


def test_a_city_without_any_line_refuses_nothing(verdict: Any, milan: City) -> None:
    City.objects.update(boundary=None)
    assert verdict(9.5) == ParkingVerdict(allowed=True)


def test_rules_have_their_time(verdict: Any, make_zone: MakeZone) -> None:
    make_zone("operating", OPERATING)
    # AT is Monday noon, 14:00 in Milan: the market stands on Mondays from two to six.
    make_zone(
        "no_park",
        (9.19, 45.445, 9.21, 45.455),
        ride_end_allowed=False,
        weekdays=[1],
        start_time="14:00",
        end_time="18:00",
    )
    assert not verdict(9.2).allowed
    assert verdict(9.2, at=AT - datetime.timedelta(seconds=1)).allowed
    assert verdict(9.2, at=AT + datetime.timedelta(hours=4)).allowed
    assert verdict(9.2, at=AT + datetime.timedelta(days=1)).allowed


def test_rules_bind_kinds(verdict: Any, make_zone: MakeZone) -> None:
    make_zone("operating", OPERATING)
    square = (9.19, 45.445, 9.21, 45.455)
    make_zone("no_park", square, ride_end_allowed=False, vehicle_kinds=["scooter", "bicycle"])
    assert not verdict(9.2, kind="scooter").allowed
    assert verdict(9.2, kind="car").allowed


def test_rules_bind_types_and_groups(verdict: Any, make_zone: MakeZone) -> None:
    make_zone("operating", OPERATING)
    make_zone(
        "no_park",
        (9.19, 45.445, 9.21, 45.455),
        ride_end_allowed=False,
        vehicle_types=["cargo"],
        user_groups=["trial"],
    )
    assert verdict(9.2, vehicle_type="cargo").allowed
    assert verdict(9.2, user_group="trial").allowed
    assert not verdict(9.2, vehicle_type="cargo", user_group="trial").allowed


def test_a_service_area_for_others_is_none(verdict: Any, make_zone: MakeZone) -> None:
    make_zone("operating", OPERATING, ride_end_allowed=True, vehicle_kinds=["car"])
    far = {"lon": 9.25}
    assert verdict(**far).allowed  # the boundary of the city is the line
    assert not verdict(**far, kind="car").allowed


def test_where_bays_are_asked_for_only_a_bay_will_do(verdict: Any, make_zone: MakeZone) -> None:
    make_zone("operating", OPERATING, ride_end_allowed=True, station_parking=True)
    make_zone("bay", (9.2000, 45.4500, 9.2001, 45.4501))
    refused = verdict(9.201)
    assert refused.reasons == (BAYS_ONLY,)
    assert verdict(9.2).allowed
    assert verdict(9.2001 + 8 * METRE, accuracy_m=15).allowed


def test_both_the_city_and_the_operator_must_allow_it(
    verdict: Any, make_zone: MakeZone, comune: Organisation
) -> None:
    make_zone("operating", OPERATING)
    make_zone("bay", (9.1999, 45.4499, 9.2001, 45.4501))
    closed = make_zone("no_park", (9.19, 45.445, 9.21, 45.455), organisation=comune)
    refused = verdict(9.2)
    assert (refused.reasons, refused.zone_id) == ((NO_PARKING,), closed.pk)


def test_a_bay_of_the_city_beyond_the_operators_area_is_not_offered(
    verdict: Any, make_zone: MakeZone, comune: Organisation
) -> None:
    make_zone("operating", OPERATING)
    make_zone("bay", (9.2210, 45.4499, 9.2212, 45.4501), organisation=comune)
    refused = verdict(EAST_EDGE + 110 * METRE)
    assert refused.nearest.lon == pytest.approx(EAST_EDGE)
    assert not verdict(9.2211).allowed


def test_the_earlier_zone_decides(verdict: Any, make_zone: MakeZone) -> None:
    make_zone("operating", OPERATING)
    square = (9.19, 45.445, 9.21, 45.455)
    make_zone("no_park", square)
    exception = make_zone("bay", square)
    assert verdict(9.2) == ParkingVerdict(allowed=True, zone_id=exception.pk)


def test_zones_published_under_way_do_not_catch_the_rider(
    milan: City, ruote: Organisation, verdict: Any
) -> None:
    def publish(kind: str, at: datetime.datetime) -> None:
        area = Polygon.from_bbox(OPERATING)
        draft = services.create_draft(
            organisation_id=ruote.pk, city_id=milan.pk, title=kind, at=at, by=SYSTEM
        )
        zone = ZoneDraft(
            code=kind, name={"it": kind}, kind=kind, boundary=MultiPolygon(area, srid=geo.WGS84)
        )
        services.replace_zones(set_id=draft.pk, zones=[zone], at=at, by=SYSTEM)
        services.publish(set_id=draft.pk, acknowledged=True, at=at, by=SYSTEM)

    publish("operating", START)
    minute = datetime.timedelta(minutes=1)
    publish("no_park", AT - 5 * minute)
    assert not verdict(9.2).allowed
    assert verdict(9.2, since=AT - 6 * minute).allowed
    assert not verdict(9.2, since=AT - 4 * minute).allowed
    # And what was forbidden at the start may have become allowed.
    publish("operating", AT - minute)
    assert verdict(9.2, since=AT - 4 * minute).allowed


def test_the_citys_rules_bind_everybody_an_operators_its_own(
    verdict: Any, make_zone: MakeZone, comune: Organisation, rivale: User
) -> None:
    other = rivale.memberships.get().organisation
    make_zone("no_park", (9.19, 45.445, 9.195, 45.455), organisation=other)
    make_zone("no_park", (9.205, 45.445, 9.21, 45.455), organisation=comune)
    assert verdict(9.192).allowed
    assert not verdict(9.192, organisation_id=other.pk).allowed
    assert not verdict(9.207).allowed


def test_an_allowed_place_costs_one_query(
    verdict: Any, make_zone: MakeZone, django_assert_num_queries: Any
) -> None:
    make_zone("operating", OPERATING)
    verdict(9.2)  # the rules of a set are read once by each process
    with django_assert_num_queries(1):
        verdict(9.2)
    with django_assert_num_queries(2):
        verdict(9.3)


# --- the rule alone ---------------------------------------------------------------------------------

MONDAY = clock.local(AT)
SCOOTER = Subject(kind="scooter")


def zone_of(kind: str, number: int) -> ZoneInfo:
    return ZoneInfo(
        zone_id=number,
        code=str(number),
        kind=kind,
        organisation_id=1,
        city_id=1,
        binds_all_operators=True,
        rules=(DEFAULTS[kind],),
    )


zones_around = st.lists(
    st.builds(
        NearbyZone,
        zone=st.builds(
            zone_of, st.sampled_from(["operating", "no_park", "bay"]), st.integers(1, 9)
        ),
        distance_m=st.floats(0, 100),
        depth_m=st.floats(0, 100),
    ),
    max_size=6,
)
bays_only = st.sampled_from([(), (Rule(station_parking=True),)])
layers_around = st.lists(
    st.builds(
        Surroundings,
        zones=zones_around,
        layer=st.builds(Layer, has_area=st.booleans(), global_rules=bays_only),
    ),
    max_size=2,
)
margins = st.floats(0, MAX_MARGIN_M)


def judge(layers: list[Surroundings], margin: float) -> ParkingVerdict:
    return judge_parking(layers=layers, margin_m=margin, subject=SCOOTER, local=MONDAY)


@settings(max_examples=60)
@given(layers=layers_around, less=margins, more=margins)
def test_more_doubt_never_hurts_the_rider(
    layers: list[Surroundings], less: float, more: float
) -> None:
    less, more = sorted((less, more))
    if judge(layers, less).allowed:
        assert judge(layers, more).allowed


@settings(max_examples=60)
@given(layers=layers_around, margin=margins)
def test_refused_means_a_reason(layers: list[Surroundings], margin: float) -> None:
    verdict = judge(layers, margin)
    assert verdict.allowed is (not verdict.reasons)
    assert len(set(verdict.reasons)) == len(verdict.reasons)


@given(accuracy=st.one_of(st.none(), st.floats(-10, 1e6)))
def test_the_margin_is_bounded(accuracy: float | None) -> None:
    assert 0 <= margin_m(accuracy) <= MAX_MARGIN_M


# --- the map ----------------------------------------------------------------------------------------


def test_the_public_map_shows_what_is_valid(api: Any, make_zone: MakeZone) -> None:
    make_zone(
        "slow", (9.2, 45.45, 9.21, 45.46), maximum_speed_kmh=6, name={"it": "Lenta", "en": "Slow"}
    )
    draft = make_zone("operating", OPERATING).zone_set
    answer = api(None).get("/api/v1/zones")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/geo+json")
    slow, area = answer.json()["features"]
    assert slow["geometry"]["type"] == "MultiPolygon"
    assert slow["geometry"]["coordinates"][0][0][0] == [9.2, 45.45]
    properties = slow["properties"]
    assert (properties["kind"], properties["name"]) == ("slow", "Slow")
    assert (properties["max_speed_kmh"], properties["city"]) == (6, "milano")
    assert area["properties"]["rules"][0]["ride_end_allowed"] is True
    for city in ("roma", "%0d%0aSet-Cookie:x", "%22"):
        elsewhere = api(None).get(f"/api/v1/zones?city={city}")
        assert (elsewhere.status_code, elsewhere.json()["features"]) == (200, [])
    assert api(None).get("/api/v1/zones?city=milano").json() == answer.json()
    draft.refresh_from_db()
    assert properties["organisation"] == draft.organisation.slug == "ruote"


def test_the_map_is_sent_again_only_when_it_changed(api: Any, make_zone: MakeZone) -> None:
    make_zone("operating", OPERATING)
    client = api(None)
    tag = client.get("/api/v1/zones")["ETag"]
    again = client.get("/api/v1/zones", headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
    italian = APIClient().get("/api/v1/zones", headers={"If-None-Match": tag})
    assert italian.status_code == 200
    make_zone("no_park", OPERATING)
    changed = client.get("/api/v1/zones", headers={"If-None-Match": tag})
    assert (changed.status_code, len(changed.json()["features"])) == (200, 2)


def test_the_map_costs_the_same_queries_for_many_zones(
    api: Any, make_zone: MakeZone, django_assert_num_queries: Any
) -> None:
    client = api(None)
    for _ in range(5):
        make_zone("no_park", OPERATING)
        client.get("/api/v1/zones")
        cache.clear()
        with django_assert_num_queries(3):
            client.get("/api/v1/zones")
        with django_assert_num_queries(1):
            client.get("/api/v1/zones")
