"""May the vehicle stay here? And if not, where could it?"""

import datetime
from typing import Any

import pytest
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from hypothesis import given
from hypothesis import strategies as st

from fleet.zones import queries
from fleet.zones.models import Zone
from fleet.zones.rules import (
    MAX_MARGIN_M,
    NO_PARKING,
    OUTSIDE_OPERATING_AREA,
    NearbyZone,
    ParkingVerdict,
    judge_parking,
    margin_m,
)
from mobility.accounts.models import Organisation, User
from mobility.core import geo
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
    market = AT + datetime.timedelta(days=1)
    make_zone("no_park", (9.19, 45.445, 9.21, 45.455), start=AT, end=market)
    assert not verdict(9.2).allowed
    assert verdict(9.2, at=AT - datetime.timedelta(seconds=1)).allowed
    assert verdict(9.2, at=market).allowed


def test_rules_bind_kinds(verdict: Any, make_zone: MakeZone) -> None:
    make_zone("operating", OPERATING)
    make_zone("no_park", (9.19, 45.445, 9.21, 45.455), vehicle_kinds=["scooter", "bicycle"])
    assert not verdict(9.2, kind="scooter").allowed
    assert verdict(9.2, kind="car").allowed


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
    with django_assert_num_queries(1):
        verdict(9.2)
    with django_assert_num_queries(2):
        verdict(9.3)


# --- the rule alone ---------------------------------------------------------------------------------

zones_around = st.lists(
    st.builds(
        NearbyZone,
        zone_id=st.integers(1, 9),
        kind=st.sampled_from(["operating", "no_park", "bay"]),
        distance_m=st.floats(0, 100),
        depth_m=st.floats(0, 100),
    ),
    max_size=6,
)
margins = st.floats(0, MAX_MARGIN_M)


@given(zones=zones_around, less=margins, more=margins)
def test_more_doubt_never_hurts_the_rider(
    zones: list[NearbyZone], less: float, more: float
) -> None:
    less, more = sorted((less, more))
    if judge_parking(zones=zones, margin_m=less).allowed:
        assert judge_parking(zones=zones, margin_m=more).allowed


@given(zones=zones_around, margin=margins)
def test_refused_means_a_reason_and_a_zone(zones: list[NearbyZone], margin: float) -> None:
    verdict = judge_parking(zones=zones, margin_m=margin)
    assert verdict.allowed is (not verdict.reasons)
    assert verdict.allowed or verdict.zone_id is not None


@given(accuracy=st.one_of(st.none(), st.floats(-10, 1e6)))
def test_the_margin_is_bounded(accuracy: float | None) -> None:
    assert 0 <= margin_m(accuracy) <= MAX_MARGIN_M


# --- the map ----------------------------------------------------------------------------------------


def test_the_public_map_shows_what_is_valid(api: Any, make_zone: MakeZone) -> None:
    make_zone(
        "slow", (9.2, 45.45, 9.21, 45.46), maximum_speed_kmh=6, name={"it": "Lenta", "en": "Slow"}
    )
    make_zone("operating", OPERATING, end=START + datetime.timedelta(days=1))
    answer = api(None).get("/api/v1/zones")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/geo+json")
    (feature,) = answer.json()["features"]
    assert feature["geometry"]["type"] == "MultiPolygon"
    assert feature["geometry"]["coordinates"][0][0][0] == [9.2, 45.45]
    properties = feature["properties"]
    assert (properties["kind"], properties["name"]) == ("slow", "Slow")
    assert (properties["max_speed_kmh"], properties["city"]) == (6, "milano")
    assert api(None).get("/api/v1/zones?city=roma").json()["features"] == []


# --- what cannot be -----------------------------------------------------------------------------------


def test_a_boundary_that_crosses_itself_is_refused(make_zone: MakeZone, milan: City) -> None:
    bow_tie = MultiPolygon(
        Polygon(((9.18, 45.44), (9.22, 45.46), (9.22, 45.44), (9.18, 45.46), (9.18, 45.44))),
        srid=geo.WGS84,
    )
    zone = make_zone("operating", OPERATING)
    zone.boundary = bow_tie
    with pytest.raises(ValidationError) as refusal:
        zone.full_clean()
    assert "boundary" in refusal.value.message_dict
    with pytest.raises(IntegrityError):
        Zone.objects.filter(pk=zone.pk).update(boundary=bow_tie)


def test_a_slow_zone_needs_its_limit(make_zone: MakeZone) -> None:
    with pytest.raises(IntegrityError):
        make_zone("slow", OPERATING)
