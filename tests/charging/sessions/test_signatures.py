"""Signed values: read, verified and refused, whatever curve and whatever wrapping."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from charging.sessions.rules.signatures import (
    BadKey,
    is_genuine,
    normal_key,
    read_ocmf,
    unwrapped,
)
from tests.charging.sessions.signing import SigningMeter

METER = SigningMeter()


@pytest.mark.parametrize(
    "meter",
    [
        METER,
        SigningMeter(ec.SECP192R1(), "secp192r1"),
        SigningMeter(ec.SECP256K1(), "secp256k1"),
        SigningMeter(ec.SECP384R1(), "secp384r1"),
    ],
)
@pytest.mark.parametrize("plain", [False, True])
def test_every_curve_verifies_and_one_changed_character_does_not(
    meter: SigningMeter, plain: bool
) -> None:
    text = meter.ocmf("12.3450", plain_signature=plain)
    record = read_ocmf(text)
    assert record is not None
    assert (record.register_wh, record.meter_serial) == (12_345, "METER-7")
    assert is_genuine(record, public_key=meter.public_key)
    forged = read_ocmf(text.replace("12.3450", "12.3451"))
    assert forged is not None
    assert not is_genuine(forged, public_key=meter.public_key)
    assert not is_genuine(record, public_key=SigningMeter().public_key)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda text: text,
        lambda text: base64.b64encode(text.encode()).decode(),
        lambda text: text.encode().hex(),
        lambda text: json.dumps({"signedMeterData": text, "encodingMethod": "OCMF"}),
        lambda text: json.dumps({"signedMeterData": base64.b64encode(text.encode()).decode()}),
    ],
)
def test_every_wrapping_gives_the_same_text(wrap: object) -> None:
    text = METER.ocmf("5.0")
    found = unwrapped(wrap(text))  # type: ignore[operator]
    assert found is not None
    assert found.text == text


@pytest.mark.parametrize(
    "sent", ["", "{}", "{", "OCMF", "nonsense", '{"signedMeterData": 5}', "////", "[1]"]
)
def test_what_is_no_ocmf_is_none(sent: str) -> None:
    found = unwrapped(sent)
    assert found is None or read_ocmf(found.text) is None


@pytest.mark.parametrize(
    "text", ["OCMF|", "OCMF||", "OCMF|{}|{}", 'OCMF|[]|{"SD":"00"}', 'OCMF|{}|{"SD":"zz"}']
)
def test_half_a_record_is_none(text: str) -> None:
    assert read_ocmf(text) is None


@pytest.mark.parametrize(
    "written",
    [
        METER.public_key,
        METER.public_key.upper(),
        METER.told_key,
        base64.b64encode(bytes.fromhex(METER.public_key)).decode(),
        f"oca:base16:asn1:{METER.public_key}",
    ],
)
def test_a_key_is_the_same_however_it_is_written(written: str) -> None:
    assert normal_key(written) == METER.public_key


@pytest.mark.parametrize("written", ["", "zz", "00", "oca:base16:asn1:", "-----BEGIN X-----"])
def test_what_is_no_key_is_said_to_be_none(written: str) -> None:
    with pytest.raises(BadKey):
        normal_key(written)
