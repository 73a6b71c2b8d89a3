"""Tariffs in time: drafted, published, one at a time; the nearest assignment wins."""

from __future__ import annotations

from datetime import timedelta

import pytest

from charging.sessions import services as sessions
from charging.sessions.facts import SessionStart, SessionStop
from charging.sessions.models import ChargingSession
from charging.tariffs import services
from charging.tariffs.models import Tariff, TariffVersion
from charging.tariffs.queries import version_for_connector
from charging.tariffs.states import VersionState
from mobility.accounts.models import Organisation
from mobility.core.principals import SYSTEM
from mobility.core.transitions import IllegalMove
from tests.charging.fixtures import NOON, MakeStation, connector_of

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def per_kwh(cents: int) -> list[dict[str, object]]:
    return [{"kind": "energy", "unit_cents": str(cents)}]


@pytest.fixture
def tariff(colonnine: Organisation) -> Tariff:
    """50 cents per kWh since the first of the month, the operator's default."""
    return services.ensure_tariff(
        organisation_id=colonnine.pk,
        code="base",
        name={"it": "Base"},
        components=per_kwh(50),
        valid_from=NOON - 3 * DAY,
        is_default=True,
        at=NOON - 3 * DAY,
        by=SYSTEM,
    )


def publish(tariff: Tariff, cents: int, **dates: object) -> TariffVersion:
    version = services.draft_version(
        tariff_id=tariff.pk,
        components=per_kwh(cents),
        at=NOON,
        by=SYSTEM,
        **dates,
    )
    return services.publish_version(version_id=version.pk, at=NOON, by=SYSTEM)


def test_a_new_version_ends_the_old_one(tariff: Tariff, make_station: MakeStation) -> None:
    connector = connector_of(make_station())
    publish(tariff, 60, valid_from=NOON + DAY)
    numbers = [
        version.number
        for days in (0, 1, 2)
        if (version := version_for_connector(connector_id=connector.pk, at=NOON + days * DAY))
    ]
    assert numbers == [1, 2, 2]


def test_before_the_first_version_nothing_prices(
    tariff: Tariff,
    make_station: MakeStation,
) -> None:
    connector = connector_of(make_station())
    assert version_for_connector(connector_id=connector.pk, at=NOON - 4 * DAY) is None


def test_no_version_changes_a_price_that_people_were_told(tariff: Tariff) -> None:
    with pytest.raises(services.VersionsOverlap):
        publish(tariff, 99, valid_from=NOON - DAY)
    assert TariffVersion.objects.get(state=VersionState.PUBLISHED).valid.upper is None
    publish(tariff, 99, valid_from=NOON)


def test_two_versions_never_hold_at_once(tariff: Tariff) -> None:
    publish(tariff, 60, valid_from=NOON + DAY, valid_until=NOON + 2 * DAY)
    with pytest.raises(services.VersionsOverlap):
        publish(tariff, 70, valid_from=NOON + DAY)
    assert TariffVersion.objects.filter(state=VersionState.PUBLISHED).count() == 2


def test_a_published_version_is_not_published_again(tariff: Tariff) -> None:
    version = publish(tariff, 60, valid_from=NOON + DAY)
    with pytest.raises(IllegalMove):
        services.publish_version(version_id=version.pk, at=NOON, by=SYSTEM)


def test_nonsense_is_not_drafted(tariff: Tariff) -> None:
    with pytest.raises(services.TariffNotReadable):
        services.draft_version(
            tariff_id=tariff.pk,
            components=[{"kind": "energy", "unit_cents": "-5"}],
            valid_from=NOON,
            at=NOON,
            by=SYSTEM,
        )


def test_setting_up_again_changes_nothing(tariff: Tariff, colonnine: Organisation) -> None:
    for cents, versions in ((50, 1), (55, 2), (55, 2)):
        services.ensure_tariff(
            organisation_id=colonnine.pk,
            code="base",
            name={"it": "Base"},
            components=per_kwh(cents),
            valid_from=NOON - 3 * DAY,
            at=NOON,
            by=SYSTEM,
        )
        assert tariff.versions.count() == versions


def test_the_connector_wins_over_the_site_and_that_over_the_default(
    tariff: Tariff,
    make_station: MakeStation,
    colonnine: Organisation,
) -> None:
    station = make_station(connectors=2)
    for code, place in (
        ("site", {"site_id": station.site_id}),
        ("fast", {"connector_id": connector_of(station, 2).pk}),
    ):
        special = services.ensure_tariff(
            organisation_id=colonnine.pk,
            code=code,
            name={"it": code},
            components=per_kwh(70),
            valid_from=NOON - DAY,
            at=NOON,
            by=SYSTEM,
        )
        services.place_tariff(tariff_id=special.pk, at=NOON, by=SYSTEM, **place)
    other = make_station("CP2", site_name="Altrove")
    codes = [
        version_for_connector(connector_id=connector.pk, at=NOON).tariff.code
        for connector in (connector_of(station), connector_of(station, 2), connector_of(other))
    ]
    assert codes == ["site", "fast", "base"]


def test_a_session_is_priced_by_the_version_of_its_start(
    tariff: Tariff,
    make_station: MakeStation,
    relay: object,
) -> None:
    station = make_station()
    sessions.ensure_token(uid="CARD", at=NOON)
    publish(tariff, 90, valid_from=NOON + timedelta(minutes=30))
    start = SessionStart(
        station_id=station.pk,
        evse_number=1,
        uid="CARD",
        at=NOON,
        meter_start_wh=0,
    )
    [answer] = sessions.start_sessions(starts=[start], at=NOON)
    stop = SessionStop(
        station_id=station.pk,
        transaction_ref=answer.transaction_ref,
        at=NOON + timedelta(hours=1),
        meter_stop_wh=10_000,
    )
    sessions.stop_sessions(stops=[stop], at=NOON + timedelta(hours=1))
    relay()
    session = ChargingSession.objects.get()
    assert (session.state, session.price_cents) == ("settled", 500)
    assert [(line["kind"], line["cents"]) for line in session.lines] == [("energy", 500)]
    assert [(part["net_cents"], part["vat_cents"]) for part in session.vat] == [(410, 90)]
