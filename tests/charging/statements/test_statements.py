"""The month of an operator equals the sum of its records to the cent, in every form it leaves in."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from rest_framework.test import APIClient

from charging.sessions import services
from charging.sessions.models import ChargeRecord
from charging.statements import export
from charging.statements.queries import Month, MonthUnreadable, statements_of
from charging.stations.models import ChargingStation
from mobility.accounts.models import User
from mobility.core.principals import SYSTEM
from tests.charging.fixtures import MakeStation
from tests.charging.sessions.signing import SigningMeter
from tests.charging.statements.conftest import MAY, MakeCharge

pytestmark = pytest.mark.django_db
Api = Callable[[User | None], APIClient]


@pytest.fixture
def month(
    station: ChargingStation, charge: MakeCharge, make_station: MakeStation
) -> list[ChargeRecord]:
    """Five charges of May, one of which was taken back; one of June."""
    second = make_station("CP2", site_name="Lodi", at=MAY)
    for number in range(4):
        charge(station, MAY + number * timedelta(hours=5), wh=7_321 + number, parked=number * 7)
    wrong = charge(second, MAY + timedelta(days=1), wh=15_000)
    services.credit_record(
        record_id=wrong.records.get().pk, reason="Wrong", at=MAY + timedelta(days=2), by=SYSTEM
    )
    charge(second, MAY + timedelta(days=30))
    return list(ChargeRecord.objects.filter(issued_at__month=5))


def test_the_statement_is_the_sum_of_the_records_to_the_cent(
    station: ChargingStation, month: list[ChargeRecord]
) -> None:
    [statement] = statements_of(
        organisation_id=station.site.organisation_id, month=Month.read("2026-05")
    )
    total = statement.total
    assert (total.charges, total.credits) == (5, 1)
    assert total.gross_cents == sum(record.gross_cents for record in month)
    assert total.net_cents == sum(record.net_cents for record in month)
    assert total.net_cents + total.vat_cents == total.gross_cents
    assert total.energy_wh == sum(record.energy_wh for record in month) == 7321 * 4 + 6
    by_rate = [sum(parts) for parts in zip(*statement.by_rate.values(), strict=True)]
    assert by_rate == [total.net_cents, total.vat_cents, total.gross_cents]
    assert sum(site.gross_cents for site in statement.by_site.values()) == total.gross_cents
    assert total.idle_cents == 5 * (7 + 14 + 21)


def test_a_month_that_is_over_stays_what_it_was(
    station: ChargingStation, month: list[ChargeRecord]
) -> None:
    may = Month.read("2026-05")
    before = statements_of(organisation_id=station.site.organisation_id, month=may)
    services.credit_record(
        record_id=month[0].pk, reason="Late", at=MAY + timedelta(days=60), by=SYSTEM
    )
    after = statements_of(organisation_id=station.site.organisation_id, month=may)
    assert [one.as_json() for one in before] == [one.as_json() for one in after]


def test_months_begin_at_midnight_in_milan() -> None:
    start, end = Month.read("2026-12").span
    assert start.astimezone(UTC) == datetime(2026, 11, 30, 23, tzinfo=UTC)
    assert end.astimezone(UTC) == datetime(2026, 12, 31, 23, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "2026", "2026-13", "05-2026", "2026-5", "9999-12"])
def test_no_month_is_no_month(text: str) -> None:
    with pytest.raises(MonthUnreadable):
        _ = Month.read(text).span


def test_csv_statement_and_ocpi_say_the_same(
    api: Api, luca: User, month: list[ChargeRecord]
) -> None:
    client = api(luca)
    url = "/api/v1/charging/records-file?month=2026-05"
    rows = list(csv.DictReader(io.StringIO(client.get(url).getvalue().decode())))
    [told] = client.get("/api/v1/charging/statements?month=2026-05").json()["results"]
    ocpi = json.loads(client.get(f"{url}&shape=ocpi").getvalue())["results"]
    gross = told["total"]["gross_cents"]
    assert sum(Decimal(row["gross"]) for row in rows) * 100 == gross
    assert round(sum(row["total_cost"]["incl_vat"] for row in ocpi) * 100) == gross
    assert [row["number"] for row in rows] == [row["id"] for row in ocpi]
    credit = ocpi[-1]
    assert (credit["credit"], credit["credit_reference_id"]) == (True, rows[-1]["credits"])
    first = ocpi[0]
    volumes = [
        dimension["volume"]
        for period in first["charging_periods"]
        for dimension in period["dimensions"]
        if dimension["type"] == "ENERGY"
    ]
    assert sum(volumes) == first["total_energy"] == 7.321


def test_a_long_month_leaves_record_by_record(
    api: Api, luca: User, month: list[ChargeRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a file whose tenth thousandth line is asked for nobody holds the first in memory."""
    written: list[int] = []
    monkeypatch.setattr(export, "ocpi_record", lambda _record: written.append(1) or {"id": "x"})
    url = "/api/v1/charging/records-file?month=2026-05&shape=ocpi"
    pieces = iter(api(luca).get(url).streaming_content)
    head = [next(pieces), next(pieces)]
    assert (len(head), sum(written)) == (2, 1)
    whole = json.loads(b"".join([*head, *pieces]))
    assert len(whole["results"]) == sum(written) == 6
    nothing = api(luca).get("/api/v1/charging/records-file?month=2020-01&shape=ocpi")
    assert json.loads(nothing.getvalue()) == {"results": []}


def test_the_statement_comes_on_paper_too(api: Api, luca: User, month: list[ChargeRecord]) -> None:
    answer = api(luca).get("/api/v1/charging/statements-file?month=2026-05")
    assert answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF")
    empty = api(luca).get("/api/v1/charging/statements-file?month=2020-01")
    assert empty.content.startswith(b"%PDF")


def test_an_operator_sees_only_its_own_month(
    api: Api, luca: User, scossa: User, month: list[ChargeRecord]
) -> None:
    foreign = api(scossa)
    assert foreign.get("/api/v1/charging/records").json()["results"] == []
    assert foreign.get("/api/v1/charging/statements?month=2026-05").json()["results"] == []
    asked = "/api/v1/charging/statements?month=2026-05&organisation=colonnine"
    assert foreign.get(asked).status_code == 404
    record = month[0]
    assert foreign.get(f"/api/v1/charging/records/{record.public_id}").status_code == 404
    credit = f"/api/v1/charging/records/{record.public_id}/credit"
    assert foreign.post(credit, {"reason": "mine now"}).status_code == 404
    assert len(api(luca).get("/api/v1/charging/records").json()["results"]) == 7


def test_a_record_is_taken_back_over_the_api_once(
    api: Api, luca: User, month: list[ChargeRecord]
) -> None:
    client, url = api(luca), f"/api/v1/charging/records/{month[0].public_id}/credit"
    assert client.post(url, {}).status_code in {400, 422}
    answer = client.post(url, {"reason": "Wrong meter"})
    assert answer.status_code == 201
    assert answer.json()["gross_cents"] == -month[0].gross_cents
    again = client.post(url, {"reason": "Wrong meter"})
    assert (again.status_code, again.json()["code"]) == (409, "record_already_credited")


def test_a_session_is_billed_again_over_the_api(
    api: Api, luca: User, month: list[ChargeRecord]
) -> None:
    session = month[0].session
    url = f"/api/v1/charging/sessions/{session.public_id}/correction"
    answer = api(luca).post(url, {"reason": "Read by hand", "energy_wh": 2000})
    assert answer.status_code == 201
    assert (answer.json()["energy_wh"], answer.json()["gross_cents"]) == (2000, 35 + 100)


def test_a_driver_sees_her_own_records_and_nobody_else_s(
    api: Api, giulia: User, piero: User, station: ChargingStation, charge: MakeCharge
) -> None:
    session = charge(station, MAY, token="04GIULIA", owner_ref=giulia.principal)
    charge(station, MAY + timedelta(hours=5))
    [mine] = api(giulia).get("/api/v1/charging/my-records").json()["results"]
    assert mine["session"] == str(session.public_id)
    assert api(piero).get("/api/v1/charging/my-records").json()["results"] == []
    url = f"/api/v1/charging/sessions/{session.public_id}/signed-values"
    assert api(giulia).get(url).json() == {"results": []}
    assert api(piero).get(url).status_code == 404
    assert api(giulia).get("/api/v1/charging/records").status_code == 403


def test_a_meter_s_key_is_entered_checked_and_replaced(
    api: Api, luca: User, scossa: User, station: ChargingStation
) -> None:
    url = f"/api/v1/charging/stations/{station.public_id}/meter-keys"
    client = api(luca)
    assert client.post(url, {"public_key": "nonsense"}).json()["code"] == "meter_key_unreadable"
    for _ in range(2):
        key = SigningMeter().public_key
        answer = client.post(url, {"public_key": key, "evse": 1})
        assert (answer.status_code, answer.json()["curve"]) == (201, "secp256r1")
    keys = client.get(url).json()["results"]
    assert [row["valid_until"] is None for row in keys] == [True, False]
    assert api(scossa).get(url).status_code == 404
