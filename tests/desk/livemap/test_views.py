"""Saved views of the live map, and the forecast under it."""

import datetime
from collections.abc import Callable

import h3.api.basic_int as h3
import pytest
from rest_framework.test import APIClient

from fleet.rebalancing.models import RebalancingPlan
from mobility.accounts.models import Organisation, User
from mobility.core import clock
from mobility.desk.livemap.api import MOST_VIEWS
from mobility.desk.models import SavedView
from mobility.geography.models import City

pytestmark = pytest.mark.django_db

Api = Callable[[User | None], APIClient]
VIEWS = "/api/v1/desk/views"
SILENT = {"name": "Silent cars", "filters": {"kind": "car", "silent_min": 20, "layers": ["zones"]}}


def test_a_view_is_kept_replaced_and_forgotten(api: Api, marco: User) -> None:
    client = api(marco)
    kept = client.post(VIEWS, SILENT)
    assert kept.status_code == 201, kept.content
    again = client.post(VIEWS, SILENT | {"filters": {"kind": "scooter"}})
    assert again.json()["id"] == kept.json()["id"]
    (found,) = client.get(VIEWS).json()["results"]
    assert (found["name"], found["filters"]) == ("Silent cars", {"kind": "scooter"})
    assert client.delete(f"{VIEWS}/{found['id']}").status_code == 204
    assert client.get(VIEWS).json()["results"] == []


def test_views_are_a_persons_own(api: Api, marco: User, sara: User, giulia: User) -> None:
    kept = api(marco).post(VIEWS, SILENT).json()["id"]
    assert api(sara).get(VIEWS).json()["results"] == []
    assert api(sara).delete(f"{VIEWS}/{kept}").status_code == 404
    assert api(giulia).get(VIEWS).status_code == 403
    assert SavedView.objects.count() == 1


def test_strange_filters_and_too_many_views_are_refused(api: Api, marco: User) -> None:
    client = api(marco)
    for filters in ({"layers": ["bombs"]}, {"silent_min": 0}, {"kind": "train"}):
        assert client.post(VIEWS, {"name": "x", "filters": filters}).status_code == 400
    SavedView.objects.bulk_create(
        SavedView(user=marco, name=f"v{number}", created_at=clock.now())
        for number in range(MOST_VIEWS)
    )
    refused = client.post(VIEWS, SILENT)
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_views")
    assert client.post(VIEWS, SILENT | {"name": "v3"}).status_code == 201


def test_the_forecast_is_told_by_district(
    api: Api, milan: City, ruote: Organisation, marco: User, rivale: User
) -> None:
    inside = int(h3.latlng_to_cell(45.451, 9.205, 8))
    outside = int(h3.latlng_to_cell(45.50, 9.10, 8))
    at = clock.now()
    for number, expected in enumerate(
        ({"car": {str(inside): 99.0}}, {"scooter": {str(inside): 4.25, str(outside): 7.0}})
    ):
        RebalancingPlan.objects.create(
            organisation=ruote,
            city=milan,
            state="closed",
            requested_at=at + datetime.timedelta(minutes=number),
            requested_by="test",
            horizon_start=at,
            horizon_end=at + datetime.timedelta(hours=8),
            expected=expected,
        )
    told = api(marco).get("/api/v1/fleet/forecast").json()
    assert told["districts"] == [{"code": "27", "name": "Porta Romana", "trips": {"scooter": 4.25}}]
    assert told["start"]
    assert api(rivale).get("/api/v1/fleet/forecast").json()["districts"] == []
