"""What is kept of a frame, what is forgiven, what it says in plain words: pure rules."""

from __future__ import annotations

import json
import time
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charging.frames.decoding import plain_words
from charging.frames.facts import Forgiveness
from charging.frames.rules import MASK, MAX_BODY, forgiven_to, storable_body
from charging.frames.states import Quirk
from charging.ocpp.rpc.leniency import energy_meant, without_stray_commas
from charging.ocpp.rpc.schemas import schemas_of
from charging.ocpp.rpc.versions import Version

SECRET = "s3cr3t-of-the-station"
STATUS = {
    "connectorId": 1,
    "errorCode": "NoError",
    "status": "Charging",
    "timestamp": "2026-05-01T10:00:00Z",
}


@pytest.mark.parametrize(
    "frame",
    [
        [2, "1", "ChangeConfiguration", {"key": "AuthorizationKey", "value": SECRET}],
        [3, "1", {"configurationKey": [{"key": "authorizationkey", "value": SECRET}]}],
        [2, "1", "SetVariables", {"setVariableData": [{
            "attributeValue": SECRET,
            "component": {"name": "SecurityCtrlr"},
            "variable": {"name": "BasicAuthPassword"},
        }]}],
        [2, "1", "NotifyReport", {"reportData": [{
            "component": {"name": "SecurityCtrlr"},
            "variable": {"name": "BasicAuthPassword"},
            "variableAttribute": [{"type": "Actual", "value": SECRET}],
        }]}],
        [2, "1", "NotifyEvent", {"eventData": [{
            "actualValue": SECRET,
            "component": {"name": "SecurityCtrlr"},
            "variable": {"name": "BasicAuthPassword"},
        }]}],
        [2, "1", "SetNetworkProfile", {"connectionData": {"basicAuthPassword": SECRET}}],
        [2, "1", "SetNetworkProfile", {"connectionData": {"apn": {"apnPassword": SECRET}}}],
        [2, "1", "SetNetworkProfile", {"connectionData": {"apn": {"simPin": SECRET}}}],
        [2, "1", "SetNetworkProfile", {"connectionData": {"vpn": {"key": SECRET}}}],
    ],
)  # fmt: skip
def test_a_password_is_kept_nowhere(frame: list[Any]) -> None:
    kept = storable_body(orjson.dumps(frame))
    assert SECRET not in kept
    assert MASK in kept
    assert json.loads(kept)[1] == "1"


def test_a_password_in_what_cannot_be_read_is_kept_nowhere_either() -> None:
    assert SECRET not in storable_body(f'[2,"1",{{"AuthorizationKey":"{SECRET}"'.encode())


@given(
    card=st.text(alphabet="0123456789ABCDEF", min_size=6, max_size=20),
    field=st.sampled_from(["idTag", "parentIdTag"]),
    spaces=st.sampled_from(["", " ", "  "]),
)
@settings(max_examples=40)
def test_a_card_is_named_by_its_last_four_signs(card: str, field: str, spaces: str) -> None:
    raw = f'[2,"m","Authorize",{{"{field}"{spaces}:{spaces}"{card}"}}]'.encode()
    kept = json.loads(storable_body(raw))[3][field]
    assert kept == f"…{card[-4:]}"


def test_a_card_of_2_and_a_list_of_cards_too() -> None:
    token = {"idToken": {"idToken": "DEADBEEF01", "type": "ISO14443"}}
    local = {"localAuthorizationList": [{"idTag": "DEADBEEF01"}, {"idTag": "DEADBEEF02"}]}
    for payload in (token, local):
        kept = storable_body(orjson.dumps([2, "m", "X", payload]))
        assert "DEADBEEF" not in kept
        assert "EF01" in kept


@given(raw=st.binary(max_size=200) | st.just(b"x" * (MAX_BODY + 5)))
@settings(max_examples=60)
def test_whatever_came_can_be_stored(raw: bytes) -> None:
    kept = storable_body(raw)
    assert "\x00" not in kept
    assert len(kept) <= MAX_BODY
    kept.encode()
    assert plain_words(kind=0, action="", body=kept)


@given(
    payload=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
        ),
        max_leaves=12,
    ),
    kind=st.integers(0, 9),
)
@settings(max_examples=60)
def test_every_frame_has_words(payload: Any, kind: int) -> None:
    assert plain_words(kind=kind, action="Reset", body=json.dumps([kind, "1", payload, payload]))


def test_what_is_forgiven_depends_on_the_make_alone() -> None:
    profiles = [
        Forgiveness(vendor="ACME*", model="*", firmware="*", quirks=frozenset({"too_long"})),
        Forgiveness(vendor="acme", model="W?", firmware="1.*", quirks=frozenset({"null_field"})),
    ]
    assert forgiven_to(profiles, vendor="Acme", model="W2", firmware="1.9") == {
        "too_long",
        "null_field",
    }
    assert forgiven_to(profiles, vendor="ACME GmbH", model="W2", firmware="1.9") == {"too_long"}
    assert forgiven_to(profiles, vendor="Other", model="W2", firmware="1.9") == frozenset()


def breakage() -> st.SearchStrategy[dict[str, Any]]:
    """Things that go wrong in a StatusNotification."""
    return st.fixed_dictionaries(
        {},
        optional={
            "status": st.sampled_from(["charging", "CHARGING", "Charg-ing"]),
            "connectorId": st.sampled_from(["1", "1.0"]),
            "info": st.sampled_from([None, "x" * 51, 5]),
            "timestamp": st.sampled_from(["2026-05-01 10:00", "2026-05-01T10:00:00"]),
            "extra": st.integers(),
        },
    )


@given(change=breakage())
@settings(max_examples=60)
def test_what_is_mended_passes_and_what_is_not_forgiven_stays_refused(
    change: dict[str, Any],
) -> None:
    schemas, broken = schemas_of(Version.V16), {**STATUS, **change}
    before = json.dumps(broken)
    mended = schemas.mend_request(
        action="StatusNotification", payload=broken, forgiven=frozenset(Quirk.values)
    )
    assert mended is not None
    schemas.check_request(action="StatusNotification", payload=mended.payload)
    assert bool(mended.used) == bool(change)
    # The payload as it came is never touched: the log and the replay cache have it.
    assert json.dumps(broken) == before
    for quirk in mended.used:
        without = frozenset(Quirk.values) - {quirk}
        again = schemas.mend_request(action="StatusNotification", payload=broken, forgiven=without)
        assert again is None


@pytest.mark.parametrize(
    ("loose", "strict"),
    [
        (b'[2,"1","X",{,"a":1}]', b'[2,"1","X",{"a":1}]'),
        (b'[2,"1","X",{"a":1,}]', b'[2,"1","X",{"a":1}]'),
        (b'[2,"1",,"X",{}]', b'[2,"1","X",{}]'),
        (b'[2,"1","X",{"a":",]{, }"}]', b'[2,"1","X",{"a":",]{, }"}]'),
    ],
)
def test_commas_are_left_out_only_between_values(loose: bytes, strict: bytes) -> None:
    assert without_stray_commas(loose) == strict


@pytest.mark.parametrize(
    "raw", [b'["' + b'\\"' * 10_000, b"[" + b"," * 20_000 + b"x", b"[1" + b", " * 10_000 + b'"']
)
def test_a_frame_of_quotes_and_commas_takes_no_longer_than_another(raw: bytes) -> None:
    """All stations of a gateway wait for it: what grows with the square of a frame stops them all."""
    began = time.process_time()
    without_stray_commas(raw)
    assert time.process_time() - began < 0.3


@pytest.mark.parametrize("quirk", [Quirk.KWH_AS_WH, Quirk.WH_AS_KWH])
def test_energy_is_meant_differently_and_all_else_as_it_is(quirk: Quirk) -> None:
    said, meant = ("Wh", "kWh") if quirk is Quirk.KWH_AS_WH else ("kWh", "Wh")
    samples = [
        {"value": "12.5", "unit": said},
        {"value": "230", "measurand": "Voltage", "unit": "V"},
        {"value": "OCMF|…", "format": "SignedData"},
    ]
    payload = {
        "connectorId": 1,
        "meterValue": [{"timestamp": "2026-05-01T10:00:00Z", "sampledValue": samples}],
    }
    seen = energy_meant(payload, quirk=quirk)["meterValue"][0]["sampledValue"]
    assert seen == [{"value": "12.5", "unit": meant}, samples[1], samples[2]]
    sample = {"value": 12.5, "unitOfMeasure": {"unit": said, "multiplier": 0}}
    event = {"meterValue": [{"sampledValue": [sample]}]}
    told = energy_meant(event, quirk=quirk)["meterValue"][0]["sampledValue"][0]
    assert told["unitOfMeasure"] == {"unit": meant, "multiplier": 0}
