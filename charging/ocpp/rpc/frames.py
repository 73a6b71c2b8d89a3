"""The frames of OCPP-J: bytes in, dataclasses out and back.

CALL, CALLRESULT and CALLERROR in every version; SEND, which is never answered, and
CALLRESULTERROR, the complaint about an answer, in 2.1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from charging.ocpp.rpc.errors import UNREADABLE_ID, Fault, RpcError, spelled
from charging.ocpp.rpc.versions import Version

CALL: Final = 2
CALL_RESULT: Final = 3
CALL_ERROR: Final = 4
CALL_RESULT_ERROR: Final = 5
SEND: Final = 6
MAX_MESSAGE_ID: Final = 36
MAX_DEPTH: Final = 100
_MAX_DESCRIPTION: Final = 255

Payload = dict[str, Any]
# Frames are made by the thousand in a second, and a frozen dataclass takes three times as long.


@dataclass(slots=True)
class Call:
    """A request; ``payload`` is not yet checked against a schema."""

    message_id: str
    action: str
    payload: Payload


@dataclass(slots=True)
class CallResult:
    """The answer to a call of ours."""

    message_id: str
    payload: Payload


@dataclass(slots=True)
class CallError:
    """The refusal of a call of ours."""

    message_id: str
    code: str
    description: str = ""
    details: Payload = field(default_factory=dict)


@dataclass(slots=True)
class Send:
    """A message of 2.1 that wants no answer, not even a refusal."""

    message_id: str
    action: str
    payload: Payload


@dataclass(slots=True)
class CallResultError:
    """A station of 2.1 could not use an answer of ours."""

    message_id: str
    code: str
    description: str = ""


Frame = Call | CallResult | CallError | Send | CallResultError


def parse_frame(raw: bytes | str, *, version: Version = Version.V201) -> Frame | None:
    """Read one frame of ``version``.

    1. JSON, and a list that starts with a number, else RpcError ``FRAMEWORK`` with id "-1".
    2. A CALL must be well formed; a fault names its message id wherever that could be read.
    3. Refuse what no database column can hold: NUL characters, absurd nesting.
    4. A CALLRESULT or CALLERROR that is not well formed, or nested beyond reason, answers nothing
       of ours: None, because an error in reply to an answer would have no receiver. The same holds
       for a SEND.
    """
    try:
        frame = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise _unreadable("The frame is not valid JSON") from None
    # A bool is an int to Python, and no message type to OCPP.
    if not isinstance(frame, list) or not frame or type(frame[0]) is not int:
        raise _unreadable("The frame is not a list that starts with a message type")
    if frame[0] == CALL:
        call = _parse_call(frame)
        _require_storable(raw, call)
        return call
    if frame[0] in (CALL_RESULT, CALL_ERROR):
        answer = _parse_answer(frame)
        return answer if _is_storable(raw, frame[2:], with_nul=True) else None
    if version.has_sends and frame[0] == SEND:
        return _parse_send(raw, frame)
    if version.has_sends and frame[0] == CALL_RESULT_ERROR:
        answer = _parse_answer(frame)
        if not isinstance(answer, CallError):
            return None
        return CallResultError(answer.message_id, answer.code, answer.description)
    raise RpcError(
        Fault.MESSAGE_TYPE,
        "There is no such message type in this version",
        message_id=_readable_id(frame),
    )


def encode_call(call: Call) -> bytes:
    """The frame of a request of ours."""
    return orjson.dumps([CALL, call.message_id, call.action, call.payload])


def encode_result(*, message_id: str, payload: Payload) -> bytes:
    """The frame of an answer."""
    return orjson.dumps([CALL_RESULT, message_id, payload])


def encode_error(
    error: RpcError,
    *,
    message_id: str,
    version: Version,
    kind: int = CALL_ERROR,
) -> bytes:
    """The frame of a refusal, spelled as the version writes it; ``kind`` 5 refuses an answer."""
    code = spelled(error.fault, version=version)
    description = error.description[:_MAX_DESCRIPTION]
    return orjson.dumps([kind, message_id or UNREADABLE_ID, code, description, {}])


def _unreadable(description: str) -> RpcError:
    return RpcError(Fault.FRAMEWORK, description, message_id=UNREADABLE_ID)


def _readable_id(frame: list[Any]) -> str:
    if len(frame) > 1 and isinstance(frame[1], str) and 0 < len(frame[1]) <= MAX_MESSAGE_ID:
        return frame[1]
    return UNREADABLE_ID


def _parse_call(frame: list[Any]) -> Call:
    message_id = _readable_id(frame)
    if message_id == UNREADABLE_ID and frame[1:2] != [UNREADABLE_ID]:
        raise _unidentified(frame)
    if len(frame) != 4 or not isinstance(frame[2], str):
        raise RpcError(
            Fault.FRAMEWORK,
            "A CALL is [2, id, action, payload]",
            message_id=message_id,
        )
    # Some stations send null where a message has no fields (1.6J 4.2.1, 2.x part 4 4.1.5).
    payload = {} if frame[3] is None else frame[3]
    if not isinstance(payload, dict):
        raise RpcError(Fault.FORMAT, "The payload is not an object", message_id=message_id)
    return Call(message_id, frame[2], payload)


def _unidentified(frame: list[Any]) -> RpcError:
    """A CALL whose id is no string of 1 to 36 characters; a long one can still be echoed."""
    if len(frame) > 1 and isinstance(frame[1], str) and 0 < len(frame[1]) <= _MAX_DESCRIPTION:
        return RpcError(
            Fault.FORMAT,
            f"The message id is longer than {MAX_MESSAGE_ID} characters",
            message_id=frame[1],
        )
    return _unreadable("The message id is not a string of 1 to 36 characters")


def _parse_answer(frame: list[Any]) -> CallResult | CallError | None:
    if len(frame) < 3 or not isinstance(frame[1], str):
        return None
    if frame[0] == CALL_RESULT:
        payload = {} if frame[2] is None else frame[2]
        return CallResult(frame[1], payload) if isinstance(payload, dict) else None
    description = frame[3] if len(frame) > 3 and isinstance(frame[3], str) else ""
    details = frame[4] if len(frame) > 4 and isinstance(frame[4], dict) else {}
    return CallError(frame[1], str(frame[2]), description, details)


def _parse_send(raw: bytes | str, frame: list[Any]) -> Send | None:
    """A SEND as if it were a call; nobody can be told what is wrong with it."""
    try:
        call = _parse_call(frame)
        _require_storable(raw, call)
    except RpcError:
        return None
    return Send(call.message_id, call.action, call.payload)


def _require_storable(raw: bytes | str, call: Call) -> None:
    if not _is_storable(raw, [call.action, call.message_id, call.payload]):
        raise RpcError(
            Fault.PROPERTY,
            "NUL characters and deep nesting are refused",
            message_id=UNREADABLE_ID if "\x00" in call.message_id else call.message_id,
        )


def _is_storable(raw: bytes | str, parts: list[Any], *, with_nul: bool = False) -> bool:
    """Neither deep nesting nor, unless `with_nul`, NUL characters.

    Only frames that may have them pay for the walk.
    """
    text = raw if isinstance(raw, bytes) else raw.encode()
    has_nul = not with_nul and b"\\u0000" in text
    if not has_nul and text.count(b"[") + text.count(b"{") <= MAX_DEPTH:
        return True
    # A list instead of recursion: a peer must not choose the depth of our stack.
    open_nodes: list[tuple[Any, int]] = [(part, 0) for part in parts]
    while open_nodes:
        node, depth = open_nodes.pop()
        if depth > MAX_DEPTH or (has_nul and isinstance(node, str) and "\x00" in node):
            return False
        if isinstance(node, dict):
            open_nodes.extend((part, depth + 1) for pair in node.items() for part in pair)
        elif isinstance(node, list):
            open_nodes.extend((part, depth + 1) for part in node)
    return True
