"""Loading a city: whole, idempotent, and every refusal with its reason."""

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from mobility.core import geo
from mobility.geography.models import City, District, Hub
from mobility.geography.queries import district_at

pytestmark = pytest.mark.django_db

REAL_MILAN = Path(__file__).resolve().parents[3] / "shared" / "milan"


def square(west: float, south: float) -> dict:
    ring = [
        [west, south],
        [west + 0.01, south],
        [west + 0.01, south + 0.01],
        [west, south + 0.01],
        [west, south],
    ]
    return {"type": "Polygon", "coordinates": [ring]}


def feature(geometry: dict | None, **properties: object) -> dict:
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def write(folder: Path, name: str, *features: object) -> Path:
    path = folder / f"{name}.geojson"
    path.write_text(
        json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8"
    )
    return path


def load(folder: Path) -> dict:
    printed = io.StringIO()
    call_command("load_city", str(folder), "--json", stdout=printed)
    return {report["file"]: report for report in json.loads(printed.getvalue())["files"]}


def test_districts_and_hubs_load_and_a_second_time_changes_nothing(tmp_path: Path) -> None:
    write(
        tmp_path, "nil", feature(square(9.19, 45.46), nil_id=1, name="DUOMO", population_2011=15367)
    )
    stop = {"type": "Point", "coordinates": [9.1951, 45.4651]}
    write(tmp_path, "stations", feature(stop, station_id="7", title="7 - Duomo", capacity=30))
    assert load(tmp_path)["nil.geojson"]["created"] == 1
    again = load(tmp_path)
    assert (again["nil.geojson"]["unchanged"], again["stations.geojson"]["unchanged"]) == (1, 1)
    found = district_at(lon=9.195, lat=45.465)
    assert found is not None
    assert (found.code, found.residents) == ("1", 15367)
    assert Hub.objects.get().capacity == 30
    assert City.objects.get().boundary.covers(geo.point(9.195, 45.465))


def test_a_changed_file_updates_what_changed(tmp_path: Path) -> None:
    write(tmp_path, "nil", feature(square(9.19, 45.46), nil_id=1, name="DUOMO"))
    load(tmp_path)
    write(tmp_path, "nil", feature(square(9.19, 45.46), nil_id=1, name="Duomo"))
    assert load(tmp_path)["nil.geojson"]["updated"] == 1
    assert District.objects.get().name == {"it": "Duomo"}


def test_each_refusal_has_its_reason_and_stops_nothing_else(tmp_path: Path) -> None:
    bow_tie = {
        "type": "Polygon",
        "coordinates": [[[9.1, 45.4], [9.2, 45.5], [9.2, 45.4], [9.1, 45.5], [9.1, 45.4]]],
    }
    write(
        tmp_path,
        "mixed",
        feature(square(9.19, 45.46), nil_id=1),
        feature(bow_tie, nil_id=2),
        feature({"type": "Point", "coordinates": [9.1, 45.4]}, nil_id=3),
        feature({"type": "Point", "coordinates": [45.4, 9.1]}, station_id=4),
        feature(None, station_id=5),
        feature(square(9.1, 45.4), colour="red"),
        feature({"type": "Point", "coordinates": [9.1, 45.4]}, station_id=6, capacity=-1),
        "not a feature",
    )
    report = load(tmp_path)["mixed.geojson"]
    reasons = {refusal["feature"]: refusal["reason"] for refusal in report["refused"]}
    assert report["created"] == 1
    assert set(reasons) == {1, 2, 3, 4, 5, 6, 7}
    assert "not valid" in reasons[1]
    assert "polygon" in reasons[2]
    assert "longitude, latitude" in reasons[3]
    assert "cannot be read" in reasons[4]
    assert "neither a district" in reasons[5]
    assert "capacity" in reasons[6]


@pytest.mark.parametrize("text", ["{", '{"type": "Point"}', "[]", "\udcff"])
def test_a_file_that_is_no_geojson_is_refused_as_a_whole(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.geojson").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert len(load(tmp_path)["bad.geojson"]["refused"]) == 1


def test_a_folder_without_files_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="holds no"):
        call_command("load_city", str(tmp_path))
    with pytest.raises(CommandError, match="not a folder"):
        call_command("load_city", str(tmp_path / "missing"))


@pytest.mark.skipif(
    not REAL_MILAN.is_dir(), reason="the real Milan lies beside the project only in some places"
)
def test_the_real_milan_loads_whole(tmp_path: Path) -> None:
    reports = load(REAL_MILAN)
    assert (reports["nil_2012.geojson"]["created"], reports["nil_2012.geojson"]["refused"]) == (
        88,
        [],
    )
    stations = reports["bikemi_stations_2023.geojson"]
    assert (stations["created"], stations["refused"]) == (322, [])
    assert Hub.objects.filter(kind="bike_station").count() == 322


def test_the_public_reads_districts_and_hubs_as_geojson(api, milan: City) -> None:
    answer = api(None).get("/api/v1/districts")
    assert answer["Content-Type"] == "application/geo+json"
    assert answer.json()["features"][0]["properties"]["name"] == "Porta Romana"
    assert api(None).get("/api/v1/hubs").json()["features"] == []
