"""A month of Luca's: charges on two sites, one parked long, one free of charge."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from charging.sessions import services
from charging.sessions.facts import Reading, Sample, SessionStart, SessionStop
from charging.sessions.models import ChargingSession
from charging.stations.models import ChargingStation
from charging.tariffs.services import ensure_tariff
from mobility.core.principals import SYSTEM
from tests.charging.fixtures import MakeStation

MAY = datetime(2026, 5, 10, 8, 0, tzinfo=UTC)
MakeCharge = Callable[..., ChargingSession]


@pytest.fixture
def station(make_station: MakeStation) -> ChargingStation:
    """49.9 cents a kWh, 5 cents a minute of parking; on the fee another VAT rate."""
    station = make_station("CP1", connectors=2, at=MAY)
    ensure_tariff(
        organisation_id=station.site.organisation_id,
        code="base",
        name={"it": "Base"},
        components=[
            {"kind": "flat", "unit_cents": "35", "vat_rate": "0.10"},
            {"kind": "energy", "unit_cents": "49.9"},
            {"kind": "idle", "unit_cents": "5"},
        ],
        valid_from=MAY - timedelta(days=60),
        is_default=True,
        at=MAY - timedelta(days=60),
        by=SYSTEM,
    )
    return station


@pytest.fixture
def charge() -> MakeCharge:
    """`charge(station, at, wh=…, parked=minutes)`: a settled session of an hour of charging."""

    @transaction.atomic
    def make(
        station: ChargingStation,
        at: datetime,
        *,
        wh: int = 7_321,
        parked: int = 0,
        token: str = "",
        owner_ref: str = "",
        settled_at: datetime | None = None,
    ) -> ChargingSession:
        if token:
            services.ensure_token(uid=token, owner_ref=owner_ref, at=at)
        start = SessionStart(
            station_id=station.pk, evse_number=1, uid=token or "CARD", at=at, meter_start_wh=1000
        )
        [answer] = services.start_sessions(starts=[start], at=at)
        parked_from = at + timedelta(hours=1)
        end = parked_from + timedelta(minutes=parked)
        full = Sample(value=1000 + wh, unit="Wh")
        stop = SessionStop(
            station_id=station.pk,
            transaction_ref=answer.transaction_ref,
            at=end,
            meter_stop_wh=1000 + wh,
            reason="EVDisconnected",
            readings=(Reading(at=parked_from, samples=(full,), raw={"at": str(parked_from)}),),
        )
        services.stop_sessions(stops=[stop], at=end)
        session = ChargingSession.objects.get(transaction_ref=answer.transaction_ref)
        assert services.settle_session(session_id=session.pk, at=settled_at or end)
        session.refresh_from_db()
        return session

    return make
