"""A site's power and plan, and an operator's month."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from charging.desk.rules import HEIGHT, WIDTH, addresses, power_chart
from charging.energy.models import EnergyDemand
from charging.energy.services import plan_site, set_site_load
from charging.sessions import services as sessions
from charging.sessions.facts import Reading, ReadingBatch, Sample
from charging.sessions.models import ChargingSession
from charging.stations.models import ChargingStation, Connector
from mobility.core import clock
from mobility.core.principals import SYSTEM
from tests.charging.desk.conftest import BASE

QUARTER = timedelta(minutes=15)
START = datetime(2026, 5, 4, tzinfo=UTC)


@pytest.mark.django_db
def test_the_sites_power_is_drawn_with_its_plan(station: ChargingStation, desk: Client) -> None:
    now = clock.now()
    site = station.site
    site.grid_limit_w = 20_000
    site.save()
    session = ChargingSession.objects.get()
    power = Sample(value=7.4, measurand="Power.Active.Import", unit="kW")
    batch = ReadingBatch(
        station_id=station.pk,
        evse_number=2,
        transaction_ref=session.transaction_ref,
        readings=(Reading(at=now, samples=(power, Sample(value=0))),),
    )
    sessions.record_readings(readings=[batch], at=now)
    connector = Connector.objects.get(evse__station=station, evse__number=2)
    EnergyDemand.objects.create(
        connector=connector,
        owner_ref="x",
        energy_wh=9000,
        ready_by=now + timedelta(hours=3),
        created_at=now,
    )
    set_site_load(site=site, managed=True, limit_a=32, at=now, by=SYSTEM)
    plan_site(site_id=site.pk, at=now)
    page = desk.get(f"{BASE}/site/{site.pk}/power/")
    assert page.context["chart"].peak_w == 7400
    assert page.context["now_w"] == 7400
    row = next(row for row in page.context["rows"] if row["connector"].pk == connector.pk)
    assert row["share_a"] is not None
    assert row["demand"].energy_wh == 9000
    assert b"<polyline" in page.content


@pytest.mark.django_db
def test_the_month_stands_there_with_its_files(station: ChargingStation, desk: Client) -> None:
    page = desk.get(f"{BASE}/statements/", {"month": "2026-05"})
    assert page.status_code == 200
    links = [part.split('"')[0] for part in page.content.decode().split('href="/api/v1/')[1:]]
    assert len(links) == 3
    for link in links:
        answer = desk.get("/api/v1/" + link.replace("&amp;", "&"))
        assert answer.status_code == 200
    for bad in ("2026-13", "x", "9999-12", "0000-01"):
        assert desk.get(f"{BASE}/statements/", {"month": bad}).status_code == 200


@settings(max_examples=40)
@given(
    powers=st.dictionaries(st.integers(0, 95), st.integers(0, 2_000_000)),
    limit=st.none() | st.integers(1, 500_000),
)
def test_a_chart_stays_in_its_frame_and_keeps_its_peak(
    powers: dict[int, int], limit: int | None
) -> None:
    chart = power_chart(
        {START + QUARTER * place: power for place, power in powers.items()},
        since=START,
        until=START + QUARTER * 96,
        bucket=QUARTER,
        limit_w=limit,
    )
    corners = [tuple(map(float, one.split(","))) for one in chart.area.split()]
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in corners)
    assert chart.peak_w == max(powers.values(), default=0) <= chart.top_w
    assert (chart.limit_y is None) == (limit is None)


@settings(max_examples=40)
@given(
    identity=st.text(min_size=1, max_size=48).filter(lambda text: "\x00" not in text),
    profile=st.integers(0, 3),
)
def test_nobody_is_told_a_plain_address_for_an_encrypted_profile(
    identity: str, profile: int
) -> None:
    servers = ("wss://safe.example/ocpp/", "ws://plain.example/ocpp")
    given_out = addresses(identity=identity, profile=profile, servers=servers)
    assert all(one.rpartition("/")[2] and one.isascii() for one in given_out)
    assert given_out[0].startswith("wss://safe.example/ocpp/")
    assert any(one.startswith("ws://") for one in given_out) == (profile < 2)
