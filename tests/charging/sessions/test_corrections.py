"""A settled session billed anew: by the end that came too late, with all that the new bill says."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection, transaction

from charging.sessions import services
from charging.sessions.facts import EventKind, Reading, Sample
from charging.sessions.models import ChargingSession
from charging.stations.models import ChargingStation
from mobility.core.money import total_cents
from mobility.core.principals import SYSTEM
from tests.charging.fixtures import NOON, MakeStation
from tests.charging.sessions.test_numbered_events import event, tell
from tests.charging.sessions.test_settlement import HOUR, begin, end, priced_station, read, status

BY_HAND = {"reason": "Read again", "by": SYSTEM}


@pytest.fixture
def station(make_station: MakeStation) -> ChargingStation:
    station = priced_station(make_station)
    services.ensure_token(uid="04A1B2C3", at=NOON)
    return station


@pytest.mark.django_db
def test_the_end_that_came_after_the_bill_is_what_the_next_bill_goes_by(
    station: ChargingStation,
) -> None:
    session = begin(station)
    read(session, 20, 6_000)
    status(station, "Available", 40)
    services.close_lost_sessions(at=NOON + 3 * HOUR)
    services.settle_due(at=NOON + 4 * HOUR)
    session.refresh_from_db()
    assert (session.energy_wh, session.stop_reason) == (5_000, "Lost")
    assert {"lost", "estimated"} <= set(session.flags)

    end(session, 38, 12_000)
    services.correct_session(session_id=session.pk, at=NOON + 5 * HOUR, **BY_HAND)
    session.refresh_from_db()
    assert (session.ended_at, session.energy_wh) == (NOON + timedelta(minutes=38), 11_000)
    assert (session.meter_stop_wh, session.price_cents) == (12_000, 495)
    assert (session.flags, session.complete, session.stop_reason) == ([], True, "")


@pytest.mark.django_db
def test_a_late_numbered_end_counts_as_well(station: ChargingStation) -> None:
    tell(*(event(station, number) for number in range(3)))
    services.close_lost_sessions(at=NOON + timedelta(days=3))
    services.settle_due(at=NOON + timedelta(days=3, hours=1))
    session = ChargingSession.objects.get()
    assert session.energy_wh == 2_000

    at = NOON + timedelta(minutes=40)
    final = Sample(value=15.0, unit="kWh", context="Transaction.End")
    last = event(station, 4, readings=(Reading(at=at, samples=(final,)),))
    tell(event(station, 3), last, hours=80)
    services.correct_session(session_id=session.pk, at=NOON + timedelta(days=4), **BY_HAND)
    session.refresh_from_db()
    assert (session.ended_at, session.energy_wh, session.flags) == (at, 5_000, [])
    assert session.complete


@pytest.mark.django_db
def test_an_end_the_station_told_in_time_stays(station: ChargingStation) -> None:
    """Whatever comes later: only an end that we guessed gives way."""
    tell(*(event(station, number) for number in (0, 1, 4)))
    services.settle_due(at=NOON + 2 * HOUR)
    session = ChargingSession.objects.get()
    before = session.ended_at
    late = replace(
        event(station, 5, kind=EventKind.UPDATED),
        readings=(
            Reading(
                at=NOON + HOUR,
                samples=(Sample(value=40.0, unit="kWh", context="Transaction.End"),),
            ),
        ),
    )
    tell(event(station, 2), event(station, 3), late, hours=6)
    with pytest.raises(services.NothingToCorrect):
        services.correct_session(session_id=session.pk, at=NOON + 7 * HOUR, **BY_HAND)
    session.refresh_from_db()
    assert session.ended_at == before


@pytest.mark.django_db
def test_the_session_says_what_its_new_bill_says(station: ChargingStation) -> None:
    """The bill's flags and the beginning of parking, not those of the bill that was taken back."""
    session = begin(station)
    read(session, 30, 1_010)
    end(session, 120, 1_040)
    services.settle_due(at=NOON + 2 * HOUR)
    session.refresh_from_db()
    assert (session.price_cents, session.flags) == (0, ["no_energy"])

    services.correct_session(session_id=session.pk, energy_wh=5_000, at=NOON + 3 * HOUR, **BY_HAND)
    session.refresh_from_db()
    assert session.flags == []
    assert session.charging_ended_at == NOON + timedelta(minutes=30)
    # An hour and a half of parking, half an hour of it free.
    assert session.price_cents == 225 + 600


@pytest.mark.django_db
def test_a_bill_that_finds_nothing_says_so(station: ChargingStation) -> None:
    session = begin(station)
    end(session, 60, 9_000)
    services.settle_due(at=NOON + HOUR)
    services.correct_session(session_id=session.pk, energy_wh=0, at=NOON + 3 * HOUR, **BY_HAND)
    session.refresh_from_db()
    assert (session.price_cents, session.lines, session.flags) == (0, [], ["no_energy"])


@pytest.mark.django_db(transaction=True)
def test_a_correction_waits_for_who_acts_on_what_stood(station: ChargingStation) -> None:
    """Else its news could be heard before the price that it corrects is booked, and be lost."""
    with transaction.atomic():
        session = begin(station)
        end(session, 60, 9_000)
    services.settle_due(at=NOON + HOUR)
    looked, done = threading.Event(), []

    def correct() -> None:
        looked.wait(5)
        services.correct_session(
            session_id=session.pk, energy_wh=4_000, at=NOON + 2 * HOUR, **BY_HAND
        )
        done.append("corrected")
        connection.close()

    thread = threading.Thread(target=correct)
    thread.start()
    with transaction.atomic():
        before = services.standing_lines(session_id=session.public_id)
        looked.set()
        thread.join(0.5)
        assert not done
        done.append("booked")
    thread.join(5)
    assert done == ["booked", "corrected"]
    after = services.standing_lines
    with transaction.atomic():
        assert (total_cents(before), total_cents(after(session_id=session.public_id))) == (360, 180)
