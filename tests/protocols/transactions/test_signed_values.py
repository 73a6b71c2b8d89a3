"""What a meter signed is kept character for character, verified, and given out again."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from charging.sessions import services
from charging.sessions.models import ChargingSession, SignedValue
from charging.statements.export import transparency_file
from charging.stations.models import ChargingStation
from mobility.core import clock
from mobility.core.principals import SYSTEM
from tests.charging.ocpp.conftest import Grid
from tests.charging.sessions.signing import SigningMeter
from tests.protocols.transactions.charges import Charge
from tests.protocols.versions import TWO, V16


def signed(version: str, text: str, key: str, *, context: str = "Transaction.End") -> list[Any]:
    """Sampled values with a signed register, as the version has it."""
    if version == V16:
        return [{"value": text, "format": "SignedData", "context": context}]
    return [
        {
            "value": 6000.0,
            "context": context,
            "signedMeterValue": {
                "signedMeterData": base64.b64encode(text.encode()).decode(),
                "signingMethod": "ECDSA-secp256r1-SHA256",
                "encodingMethod": "OCMF",
                "publicKey": key,
            },
        }
    ]


def charge_signed(
    grid: Grid, version: str, station: ChargingStation, text: str, *, key: str = ""
) -> ChargingSession:
    """A charge of 5 kWh whose end the meter signed; settled."""
    charge = Charge(grid.dial(station, version), version, grid.token())
    charge.start(1000)
    charge.read(10, 3000)
    charge.read(20, 5000)
    element = {"timestamp": charge.at(30), "sampledValue": signed(version, text, key)}
    if version == V16:
        charge.stop(30, 6000, transactionData=[element])
    else:
        charge.event("Ended", 30, None, reason="Local", meterValue=[element])
    session = charge.session(station)
    services.settle_session(session_id=session.pk, at=clock.now())
    session.refresh_from_db()
    return session


def know(station: ChargingStation, meter: SigningMeter) -> None:
    services.store_meter_key(
        station_id=station.pk, public_key=meter.public_key, at=clock.now(), by=SYSTEM
    )


def test_a_right_signature_is_verified_with_the_key_on_record(grid: Grid, version: str) -> None:
    station, meter = grid.station(), SigningMeter()
    know(station, meter)
    text = meter.ocmf("6.0000")
    session = charge_signed(grid, version, station, text)
    value = session.signed_values.get()
    sent = text if version == V16 else base64.b64encode(text.encode()).decode()
    assert value.signed_data == sent
    assert (value.state, session.signature) == ("valid", "valid")
    assert (value.register_wh, value.meter_serial) == (6000, "METER-7")
    assert session.energy_wh == 5000
    assert "bad_signature" not in session.flags


def test_what_is_signed_during_the_charge_is_kept_as_it_came(grid: Grid, version: str) -> None:
    station, meter = grid.station(), SigningMeter()
    know(station, meter)
    text = meter.ocmf("3.0000")
    charge = Charge(grid.dial(station, version), version, grid.token())
    charge.start(1000)
    charge.values(10, signed(version, text, "", context="Sample.Periodic"))
    charge.stop(30, 6000)
    session = charge.session(station)
    value = session.signed_values.get()
    sent = text if version == V16 else base64.b64encode(text.encode()).decode()
    assert value.signed_data == sent
    services.settle_session(session_id=session.pk, at=clock.now())
    value.refresh_from_db()
    assert (value.state, value.register_wh) == ("valid", 3000)


def test_a_wrong_signature_is_flagged_and_its_reading_bills_nothing_alone(
    grid: Grid, version: str
) -> None:
    station, meter = grid.station(), SigningMeter()
    know(station, meter)
    session = charge_signed(grid, version, station, SigningMeter().ocmf("6.0000"))
    assert session.signature == "invalid"
    assert "bad_signature" in session.flags
    # A 1.6 stop tells its register by itself; of 2.x only what came before can be believed.
    assert session.energy_wh == (5000 if version == V16 else 4000)


@pytest.mark.parametrize("version", TWO)
def test_an_empty_public_key_means_the_one_that_was_told_before(grid: Grid, version: str) -> None:
    station, meter = grid.station(), SigningMeter()
    first = charge_signed(grid, version, station, meter.ocmf("6.0"), key=meter.told_key)
    second = charge_signed(grid, version, station, meter.ocmf("6.000"), key="")
    assert [first.signature, second.signature] == ["own_key", "own_key"]


@pytest.mark.parametrize("version", TWO)
def test_a_key_that_changes_is_not_believed(grid: Grid, version: str) -> None:
    station, meter, other = grid.station(), SigningMeter(), SigningMeter()
    charge_signed(grid, version, station, meter.ocmf("6.0"), key=meter.told_key)
    session = charge_signed(grid, version, station, other.ocmf("6.0"), key=other.told_key)
    assert session.signature == "invalid"
    assert session.signed_values.get().details["note"] == "key_changed"


def test_without_a_key_it_is_kept_and_verified_when_staff_enter_one(
    grid: Grid, version: str
) -> None:
    station, meter = grid.station(), SigningMeter()
    session = charge_signed(grid, version, station, meter.ocmf("6.0"))
    assert session.signature == "unknown_key"
    know(station, meter)
    services.verify_again(session_id=session.pk, at=clock.now(), by=SYSTEM)
    session.refresh_from_db()
    assert session.signature == "valid"


def test_what_a_wrong_key_refuted_counts_again_with_the_right_one(grid: Grid, version: str) -> None:
    station, meter = grid.station(), SigningMeter()
    know(station, SigningMeter())
    session = charge_signed(grid, version, station, meter.ocmf("6.0"))
    assert session.signature == "invalid"
    assert session.readings.filter(doubt="signature").exists()
    know(station, meter)
    services.verify_again(session_id=session.pk, at=clock.now(), by=SYSTEM)
    session.refresh_from_db()
    assert session.signature == "valid"
    assert not session.readings.filter(doubt="signature").exists()
    assert not session.readings.filter(suspect=True).exists()


def test_a_signed_register_that_differs_from_the_told_one_is_flagged(
    grid: Grid, version: str
) -> None:
    station, meter = grid.station(), SigningMeter()
    know(station, meter)
    session = charge_signed(grid, version, station, meter.ocmf("5.5"))
    assert session.signature == "valid"
    assert "signed_mismatch" in session.flags


def test_signed_data_that_cannot_be_read_is_kept_and_said_to_be_so(
    grid: Grid, version: str
) -> None:
    session = charge_signed(grid, version, grid.station(), "OCMF|half a record")
    assert session.signature == "unreadable"
    assert session.energy_wh == 5000


def test_the_transparency_file_holds_the_data_as_it_came(grid: Grid, version: str) -> None:
    station, meter = grid.station(), SigningMeter()
    know(station, meter)
    session = charge_signed(grid, version, station, meter.ocmf("6.0000"))
    value = session.signed_values.get()
    content = transparency_file([value])
    assert meter.public_key in content
    if version != V16:
        assert f">{value.signed_data}<" in content
    assert 'format="OCMF"' in content


def test_nobody_changes_what_a_meter_signed(grid: Grid, version: str) -> None:
    session = charge_signed(grid, version, grid.station(), SigningMeter().ocmf("6.0"))
    values = SignedValue.objects.filter(session=session)
    for deed in (lambda: values.update(signed_data="x"), values.delete):
        with pytest.raises(IntegrityError), transaction.atomic():
            deed()
    assert session.started_at + timedelta(minutes=30) == session.ended_at
