"""Frames in and out: what is read, what is refused, and in which words."""

from __future__ import annotations

from contextlib import suppress

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charging.ocpp.rpc.errors import Fault, RpcError, spelled
from charging.ocpp.rpc.frames import (
    Call,
    CallError,
    CallResult,
    encode_call,
    encode_error,
    encode_result,
    parse_frame,
)
from charging.ocpp.rpc.versions import Version

LONG_ID = "x" * 37


def refusal(raw: bytes | str) -> RpcError:
    with pytest.raises(RpcError) as caught:
        parse_frame(raw)
    return caught.value


@pytest.mark.parametrize(
    ("raw", "fault", "message_id"),
    [
        (b'[2,"1","Heartbeat",{', Fault.FRAMEWORK, "-1"),
        (b"", Fault.FRAMEWORK, "-1"),
        (b"\xff\xfe", Fault.FRAMEWORK, "-1"),
        (b"{}", Fault.FRAMEWORK, "-1"),
        (b"[]", Fault.FRAMEWORK, "-1"),
        (b'[true,"1","Heartbeat",{}]', Fault.FRAMEWORK, "-1"),
        (b'["2","1","Heartbeat",{}]', Fault.FRAMEWORK, "-1"),
        (b'[2,1,"Heartbeat",{}]', Fault.FRAMEWORK, "-1"),
        (b'[2,"","Heartbeat",{}]', Fault.FRAMEWORK, "-1"),
        (b'[2,"1","Heartbeat"]', Fault.FRAMEWORK, "1"),
        (b'[2,"1","Heartbeat",{},{}]', Fault.FRAMEWORK, "1"),
        (b'[2,"1",7,{}]', Fault.FRAMEWORK, "1"),
        (b'[2,"1","Heartbeat",[]]', Fault.FORMAT, "1"),
        (b'[2,"1","Heartbeat","x"]', Fault.FORMAT, "1"),
        (f'[2,"{LONG_ID}","Heartbeat",{{}}]'.encode(), Fault.FORMAT, LONG_ID),
        (f'[2,"{"x" * 300}","Heartbeat",{{}}]'.encode(), Fault.FRAMEWORK, "-1"),
        (b'[9,"1","Heartbeat",{}]', Fault.MESSAGE_TYPE, "1"),
        (b"[9]", Fault.MESSAGE_TYPE, "-1"),
        (b'[2,"1","DataTransfer",{"vendorId":"a\\u0000b"}]', Fault.PROPERTY, "1"),
        (b'[2,"1","DataTransfer",{"a\\u0000":1}]', Fault.PROPERTY, "1"),
        (b'[2,"a\\u0000","Heartbeat",{}]', Fault.PROPERTY, "-1"),
        (b'[2,"1","X",{"a":' + b"[" * 500 + b"]" * 500 + b"}]", Fault.PROPERTY, "1"),
        (b"[" * 20_000 + b"]" * 20_000, Fault.FRAMEWORK, "-1"),
    ],
)
def test_a_broken_frame_is_refused_with_the_id_it_had(
    raw: bytes,
    fault: Fault,
    message_id: str,
) -> None:
    error = refusal(raw)
    assert (error.fault, error.message_id) == (fault, message_id)


def test_a_null_payload_is_an_empty_one() -> None:
    assert parse_frame('[2,"1","Heartbeat",null]') == Call("1", "Heartbeat", {})


def test_an_escaped_backslash_before_u0000_is_no_nul() -> None:
    frame = parse_frame(b'[2,"1","DataTransfer",{"vendorId":"a\\\\u0000"}]')
    assert frame == Call("1", "DataTransfer", {"vendorId": "a\\u0000"})


def test_wide_messages_are_no_deep_ones() -> None:
    payload = {"a": [{"b": []} for _ in range(200)]}
    assert parse_frame(orjson.dumps([2, "1", "X", payload])) == Call("1", "X", payload)


@pytest.mark.parametrize("raw", [b"[3]", b'[3,"1"]', b"[3,1,{}]", b'[3,"1",[]]', b'[4,"1"]'])
def test_a_broken_answer_is_nobodys(raw: bytes) -> None:
    assert parse_frame(raw) is None


def test_answers_are_read() -> None:
    assert parse_frame(b'[3,"1",null]') == CallResult("1", {})
    assert parse_frame(b'[4,"1","NotSupported"]') == CallError("1", "NotSupported")
    assert parse_frame(b'[4,"1","GenericError","why",{"a":1}]') == CallError(
        "1",
        "GenericError",
        "why",
        {"a": 1},
    )


@settings(max_examples=50, deadline=None)
@given(
    st.text(min_size=1, max_size=36).filter(lambda text: "\x00" not in text),
    st.dictionaries(st.text("ab", max_size=3), st.integers(-5, 5) | st.booleans(), max_size=3),
)
def test_what_we_write_we_read(message_id: str, payload: dict[str, int]) -> None:
    call = Call(message_id, "Reset", payload)
    assert parse_frame(encode_call(call)) == call
    answer = encode_result(message_id=message_id, payload=payload)
    assert parse_frame(answer) == CallResult(message_id, payload)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=40) | st.recursive(st.none() | st.integers() | st.text(), st.lists))
def test_rubbish_never_raises_anything_else(rubbish: object) -> None:
    raw = rubbish if isinstance(rubbish, bytes) else str(rubbish).replace("'", '"')
    with suppress(RpcError):
        parse_frame(raw)


def test_each_version_spells_its_own_way() -> None:
    assert spelled(Fault.OCCURRENCE, version=Version.V16) == "OccurenceConstraintViolation"
    assert spelled(Fault.OCCURRENCE, version=Version.V201) == "OccurrenceConstraintViolation"
    assert spelled(Fault.FORMAT, version=Version.V16) == "FormationViolation"
    assert spelled(Fault.FORMAT, version=Version.V201) == "FormatViolation"
    assert spelled(Fault.MESSAGE_TYPE, version=Version.V201) == "MessageTypeNotSupported"
    for fault in (Fault.TYPE, Fault.PROPERTY, Fault.NOT_IMPLEMENTED, Fault.SECURITY):
        assert spelled(fault, version=Version.V16) == spelled(fault, version=Version.V201)


def test_a_refusal_without_an_id_says_minus_one() -> None:
    raw = encode_error(RpcError(Fault.FRAMEWORK, "x" * 999), message_id="", version=Version.V201)
    kind, message_id, code, description, details = orjson.loads(raw)
    assert (kind, message_id, code, details) == (4, "-1", "RpcFrameworkError", {})
    assert len(description) == 255
