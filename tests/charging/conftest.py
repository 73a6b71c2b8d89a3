"""A street with two operators: Luca's charger in use, and somebody else's."""

from __future__ import annotations

from datetime import timedelta

import pytest

from charging.sessions import services as sessions
from charging.sessions.facts import SessionStart
from charging.stations import services as stations
from charging.stations.facts import StatusReport
from charging.stations.models import ChargingStation
from charging.tariffs.services import ensure_tariff
from mobility.accounts.models import Organisation, User
from mobility.core import clock
from mobility.core.principals import SYSTEM
from tests.charging.fixtures import MakeStation


@pytest.fixture
def station(make_station: MakeStation) -> ChargingStation:
    """Luca's: online, connector 1 free, connector 2 in use by a card, 50 cents per kWh."""
    now = clock.now()
    station = make_station("CP1", connectors=2, online=True, at=now)
    words = {1: "Available", 2: "Charging"}
    stations.record_statuses(
        reports=[
            StatusReport(station_id=station.pk, evse_number=number, status=word, at=now)
            for number, word in words.items()
        ],
        at=now,
    )
    ensure_tariff(
        organisation_id=station.site.organisation_id,
        code="base",
        name={"it": "Base"},
        components=[{"kind": "energy", "unit_cents": "50"}],
        valid_from=now - timedelta(days=1),
        is_default=True,
        at=now,
        by=SYSTEM,
    )
    sessions.ensure_token(uid="CARD", at=now)
    start = SessionStart(
        station_id=station.pk,
        evse_number=2,
        uid="CARD",
        at=now,
        meter_start_wh=0,
    )
    sessions.start_sessions(starts=[start], at=now)
    return station


@pytest.fixture
def foreign(make_station: MakeStation, scossa: User) -> ChargingStation:
    """A charger of another operator in the same street."""
    return make_station(
        "OTHER",
        organisation=Organisation.objects.get(slug="scossa"),
        site_name="Altrui",
        online=True,
        at=clock.now(),
    )
