"""Whatever comes to the telemetry door has a precise answer, and the good part is kept."""

import datetime
import gzip
import io
import json
import zlib
from typing import Any

import pytest
import zstandard
from django.test import Client, RequestFactory

from fleet.telematics.log import RedisPointLog
from fleet.telematics.models import Point
from fleet.telematics.services.drain import drain_all
from fleet.telematics.views import TelemetryView
from fleet.telematics.wire import MAX_BODY_BYTES
from fleet.vehicles.models import Vehicle
from mobility.core import clock
from tests.fleet.fixtures import MakeVehicle

URL = "/api/v1/telemetry"


@pytest.fixture
def scooter(make_vehicle: MakeVehicle) -> Vehicle:
    return make_vehicle(lon=9.19, lat=45.46)


def post(vehicle: Vehicle, body: bytes, **headers: str) -> Any:
    credential = {"Authorization": f"Bearer {vehicle.device_secret}"}
    return Client(headers={**credential, **headers}).post(
        URL, body, content_type="application/json"
    )


def good(**fields: Any) -> str:
    point = {"at": clock.now().isoformat(), "lat": 45.46, "lon": 9.19, "battery_pct": 81}
    return json.dumps({**point, **fields})


def points(*texts: str) -> bytes:
    return ('{"points": [' + ", ".join(texts) + "]}").encode()


@pytest.mark.parametrize(
    "bad",
    [
        '{"at": 1780000000000, "lat": NaN, "lon": 9.19}',
        '{"at": 1780000000000, "lat": 45.46, "lon": Infinity}',
        '{"at": 1780000000000, "lat": 45.46, "lon": -Infinity}',
        '{"at": 1780000000000, "lat": 1e999, "lon": 9.19}',
        '{"at": 1780000000000, "lat": "45.46", "lon": 9.19}',
        '{"at": 1780000000000, "lat": 45.46, "lon": 181}',
        '{"at": 1780000000000, "lat": 45.46, "lon": 9.19, "battery_pct": -1}',
        '{"at": 1780000000000, "lat": 45.46, "lon": 9.19, "battery_pct": 101}',
        '{"at": 1780000000000, "lat": 45.46, "lon": 9.19, "speed_kmh": -0.1}',
        '{"at": 1780000000000, "lat": 45.46, "lon": 9.19, "odometer_m": -5}',
        '{"at": 1780000000000, "lat": 45.46, "lon": 9.19, "locked": 1}',
        '{"at": -1, "lat": 45.46, "lon": 9.19}',
        '{"at": 99999999999999999999999, "lat": 45.46, "lon": 9.19}',
        '{"at": 1780000000000.5, "lat": 45.46, "lon": 9.19}',
        '{"at": "2026-13-01T00:00:00Z", "lat": 45.46, "lon": 9.19}',
        '{"at": "2026-05-01T10:00:00", "lat": 45.46, "lon": 9.19}',
        '{"lat": 45.46, "lon": 9.19}',
        "null",
        "7",
        '"text"',
        "[]",
        "{}",
    ],
)
def test_a_bad_point_is_told_and_the_good_ones_are_kept(
    scooter: Vehicle, log: RedisPointLog, bad: str
) -> None:
    answer = post(scooter, points(good(), bad, good(battery_pct=80)))
    assert answer.status_code == 202
    body = answer.json()
    assert body["accepted"] == 2
    (verdict,) = body["rejected"]
    assert (verdict["index"], verdict["item"], verdict["code"]) == (1, "point", "point_malformed")
    assert verdict["detail"]
    drain_all(shard=0, at=clock.now())
    assert Point.objects.filter(vehicle_id=scooter.pk).count() == 2


def test_where_every_point_is_bad_the_report_is_refused_with_all_verdicts(
    scooter: Vehicle, log: RedisPointLog
) -> None:
    answer = post(scooter, points('{"lat": NaN}', "1"))
    assert (answer.status_code, answer.json()["code"]) == (422, "nothing_usable")
    assert [one["index"] for one in answer.json()["rejected"]] == [0, 1]
    assert log.backlog(shard=0) == 0


def test_what_can_never_be_true_is_told_at_once_and_kept_for_staff(
    scooter: Vehicle, log: RedisPointLog
) -> None:
    at = clock.now()
    ahead, old = (at + datetime.timedelta(days=days) for days in (1, -31))
    answer = post(
        scooter,
        points(
            good(),
            good(at=ahead.isoformat()),
            good(at=old.isoformat()),
            good(lat=0, lon=0),
            good(lat=91),
            "{}",
        ),
    ).json()
    assert answer["accepted"] == 1
    assert [(one["index"], one["code"]) for one in answer["rejected"]] == [
        (1, "future"),
        (2, "too_old"),
        (3, "zero_fix"),
        (4, "out_of_range"),
        (5, "point_malformed"),
    ]
    drain_all(shard=0, at=at)
    assert scooter.quarantined_points.count() == 4


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b'{"points": [}',
        b"[]",
        b"null",
        b'"points"',
        b'{"points": {}}',
        b'{"points": null}',
        b'{"points": [' + b"1" * 6_000 + b"]} trailing",
        b'{"points": [], "points": 1}',
        b"\xff\xfe\x00",
        '{"points": []}'.encode("utf-16")[:-1],
        b"\x1f\x8b\x08\x00",
        b"points=1",
    ],
)
def test_what_is_no_report_is_refused_whole(
    scooter: Vehicle, log: RedisPointLog, body: bytes
) -> None:
    answer = post(scooter, body)
    assert (answer.status_code, answer.json()["code"]) == (422, "report_malformed")
    assert answer["Content-Type"] == "application/problem+json"
    assert log.backlog(shard=0) == 0


def test_of_a_key_that_comes_twice_the_last_one_counts(
    scooter: Vehicle, log: RedisPointLog
) -> None:
    twice = good()[:-1] + ', "battery_pct": 55}'
    assert post(scooter, points(twice)).json()["accepted"] == 1
    drain_all(shard=0, at=clock.now())
    assert Point.objects.get().battery_pct == 55


def test_what_nobody_knows_is_passed_over(scooter: Vehicle) -> None:
    assert post(scooter, points(good(colour="red"))).json()["accepted"] == 1


# --- encodings --------------------------------------------------------------------------------------


def test_zstd_is_welcome_as_gzip_is(scooter: Vehicle) -> None:
    body = points(*[good()] * 500)
    for encoding, packed in (
        ("zstd", zstandard.compress(body)),
        ("gzip", gzip.compress(body)),
        ("X-GZIP", gzip.compress(body)),
        ("identity", body),
    ):
        answer = post(scooter, packed, **{"Content-Encoding": encoding})
        assert (answer.status_code, answer.json()["accepted"]) == (202, 500), encoding


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "nonsense"])
def test_other_encodings_are_refused_by_name(scooter: Vehicle, encoding: str) -> None:
    answer = post(scooter, zlib.compress(points(good())), **{"Content-Encoding": encoding})
    assert (answer.status_code, answer.json()["code"]) == (415, "encoding_unsupported")
    assert answer["Accept-Encoding"] == "gzip, zstd"


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_what_does_not_unpack_is_refused(scooter: Vehicle, encoding: str) -> None:
    packed = {"gzip": gzip.compress, "zstd": zstandard.compress}[encoding](points(good()) * 50)
    for broken in (b"plain", packed[:-9], packed[:10]):
        answer = post(scooter, broken, **{"Content-Encoding": encoding})
        assert (answer.status_code, answer.json()["code"]) == (422, "report_malformed"), broken


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_bomb_does_not_go_off(scooter: Vehicle, encoding: str) -> None:
    packed = {"gzip": gzip.compress, "zstd": zstandard.compress}[encoding](b" " * 60_000_000)
    answer = post(scooter, packed, **{"Content-Encoding": encoding})
    assert (answer.status_code, answer.json()["code"]) == (413, "report_too_large")


# --- size -------------------------------------------------------------------------------------------


def test_five_thousand_points_are_taken_and_one_more_is_not(scooter: Vehicle) -> None:
    assert post(scooter, points(*[good()] * 5_000)).json()["accepted"] == 5_000
    for body in (points(*[good()] * 5_001), points(*["1"] * 5_001)):
        answer = post(scooter, body)
        assert (answer.status_code, answer.json()["code"]) == (413, "report_too_large")


def chunked(vehicle: Vehicle, body: bytes) -> Any:
    """As gunicorn hands over a request that does not say its length."""
    request = RequestFactory().post(URL, content_type="application/json")
    request.META["HTTP_AUTHORIZATION"] = f"Bearer {vehicle.device_secret}"
    request.META["HTTP_TRANSFER_ENCODING"] = "chunked"
    request.META.pop("CONTENT_LENGTH", None)
    request.environ["wsgi.input"] = io.BytesIO(body)  # type: ignore[attr-defined]
    return TelemetryView.as_view()(request)


def test_a_body_without_its_length_is_read_and_bounded(scooter: Vehicle) -> None:
    answer = chunked(scooter, points(good()))
    assert (answer.status_code, json.loads(answer.content)["accepted"]) == (202, 1)
    assert chunked(scooter, b" " * (MAX_BODY_BYTES + 1)).status_code == 413


def test_a_length_that_is_none_is_refused(scooter: Vehicle) -> None:
    answer = Client(headers={"Authorization": f"Bearer {scooter.device_secret}"}).post(
        URL, b"{}", content_type="application/json", CONTENT_LENGTH="many"
    )
    assert answer.status_code == 422


# --- credentials ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "credential",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic dev_x",
        "Bearer user-token",
        "Bearer dev_",
        "Bearer int_",
        "dev_x",
    ],
)
def test_without_a_known_credential_nothing_is_looked_at(db: None, credential: str) -> None:
    headers = {"Authorization": credential} if credential else {}
    answer = Client(headers=headers).post(URL, b"{", content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (401, "device_unknown")
