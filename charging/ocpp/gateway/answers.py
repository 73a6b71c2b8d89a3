"""From a station's call to our answer, or to what has to be committed before it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from charging.ocpp.deeds import Asked, Deed, Dialect, Errand
from charging.ocpp.gateway import metrics
from charging.ocpp.gateway.admission import Reason, serial_fits
from charging.ocpp.gateway.reading import BOOT, Reader
from charging.ocpp.gateway.recorder import Recorder
from charging.ocpp.gateway.sockets import StationSocket
from charging.ocpp.gateway.writer import NotStored, StorageAway, Writer
from charging.ocpp.rpc.errors import Fault, RpcError
from charging.ocpp.rpc.frames import (
    CALL_ERROR,
    CALL_RESULT,
    Call,
    Payload,
    Send,
    encode_error,
    encode_result,
)
from charging.ocpp.rpc.replay import ReplayCache
from charging.ocpp.rpc.schemas import schemas_of
from charging.stations.facts import BootAnswer, BootReport, StationCredentials
from charging.stations.states import Registration
from mobility.core import clock

logger = logging.getLogger(__name__)

_FOLLOWED: Final = {
    "GetBaseReport": "NotifyReport",
    "GetReport": "NotifyReport",
    "GetLog": "LogStatusNotification",
    "GetDiagnostics": "DiagnosticsStatusNotification",
    "UpdateFirmware": "FirmwareStatusNotification",
    "SignedUpdateFirmware": "SignedFirmwareStatusNotification",
}
"""What a station that is not accepted yet may say because we asked (OCPP 2.0.1 B02.FR.02)."""
_SIGN: Final = frozenset(
    {"SignChargePointCertificate", "SignChargingStationCertificate", "SignV2GCertificate"},
)
_HEARTBEAT: Final = "Heartbeat"
_ERRAND_S: Final = 25.0
"""How long a station waits for what we ask elsewhere: less than its own time-out of 30 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all links of a gateway share."""

    writer: Writer
    replay: ReplayCache
    seen: Callable[[int, datetime], None]
    max_calls_per_s: int
    recorder: Recorder
    refuse: Callable[[StationSocket, Reason], None]
    """Write down that a connection was ended for a reason of the handshake."""
    errands: Executor
    """Threads that wait for somebody else, their own: nobody's handshake waits behind them."""


@dataclass(slots=True)
class Promise:
    """A call whose deed has to be committed before its answer."""

    call: Call
    raw: bytes
    deed: Deed | Errand


class Reply(NamedTuple):
    """A frame of ours, with what the log wants to know of it."""

    frame: bytes
    kind: int
    message_id: str
    action: str


class Answers:
    """The answers to one connection, and how far its station is admitted."""

    def __init__(
        self,
        socket: StationSocket,
        *,
        credentials: StationCredentials,
        dialect: Dialect,
        shared: Surroundings,
    ) -> None:
        self.registration = credentials.registration
        # A station that never introduced itself must do so before anything else is heard.
        self.introduced = credentials.booted
        self.reader = Reader(
            version=dialect.version, credentials=credentials, recorder=shared.recorder
        )
        self._socket = socket
        self._station_id = credentials.station_id
        self._identity = credentials.identity
        self._dialect = dialect
        self._shared = shared
        self._schemas = schemas_of(dialect.version)
        self._answered = metrics.CALLS.labels(version=dialect.version, outcome="result")
        self._awaited: set[str] = set()

    @property
    def admitted(self) -> bool:
        """Whether the station may say more than its name."""
        return self.introduced and self.registration == Registration.ACCEPTED

    def expect_after(self, action: str, payload: Payload) -> None:
        """Let a pending station say what a request of ours asks it to say."""
        if self.registration != Registration.PENDING:
            return
        wanted = payload.get("requestedMessage", _FOLLOWED.get(action))
        if wanted is not None:
            self._awaited.add("SignCertificate" if wanted in _SIGN else wanted)

    def consider(self, call: Call, raw: bytes, *, at: datetime, now_s: float) -> Reply | Promise:
        """The frame that answers ``call``, or what has to be committed before it."""
        kept = self._shared.replay.recall(
            station_id=self._station_id, message_id=call.message_id, frame=raw, now_s=now_s
        )
        if kept is not None:
            return Reply(kept, CALL_RESULT, call.message_id, call.action)
        try:
            outcome = self._outcome(call, at)
            if isinstance(outcome, dict):
                return self._answer(call, raw, outcome, now_s)
            return Promise(call, raw, outcome)
        except Exception as error:  # noqa: BLE001 — a station must not wait for an answer in vain
            return self._refuse(call, error)

    async def keep(self, promise: Promise) -> Reply:
        """Commit, then answer; a deed that could not be committed is refused."""
        call, deed = promise.call, promise.deed
        try:
            if isinstance(deed, Errand):
                payload = await self._fetch(call, deed)
            else:
                answer = await self._shared.writer.do(deed.verb, deed.fact)
                if isinstance(answer, BootAnswer):
                    self._admit(answer)
                payload = deed.reply(answer)
            return self._answer(call, promise.raw, payload, time.monotonic())
        except Exception as error:  # noqa: BLE001 — see above
            return self._refuse(call, error)

    async def heed(self, send: Send) -> None:
        """Do what a SEND says. Whatever is wrong with it, nobody is told but our log."""
        try:
            call = Call(send.message_id, send.action, send.payload)
            outcome = self._outcome(call, clock.now())
            if isinstance(outcome, Deed):
                await self._shared.writer.do(outcome.verb, outcome.fact)
        except Exception as error:  # noqa: BLE001 — the station's next call wants its answer
            logger.warning("%s: SEND %.60r not processed: %s", self._identity, send.action, error)

    def refusal(self, error: RpcError, message_id: str, action: str) -> Reply:
        """The frame that names a fault."""
        metrics.CALLS.labels(version=self._dialect.version, outcome=error.fault).inc()
        frame = encode_error(error, message_id=message_id, version=self._dialect.version)
        return Reply(frame, CALL_ERROR, message_id, action)

    def _outcome(self, call: Call, at: datetime) -> Payload | Deed | Errand:
        """1. Known action. 2. Admitted station. 3. Valid payload. 4. Its meaning."""
        handler = self._dialect.inbound.get(call.action)
        if handler is None:
            known = call.action in self._schemas.actions
            raise RpcError(Fault.NOT_SUPPORTED if known else Fault.NOT_IMPLEMENTED)
        if call.action != BOOT and not self.admitted and call.action not in self._awaited:
            raise RpcError(Fault.SECURITY, "BootNotification has not been accepted")
        payload = self.reader.valid(call)
        outcome = handler(Asked(self._station_id, payload, at))
        if call.action == BOOT and isinstance(outcome, Deed):
            self._meet(outcome.fact)
        if call.action != _HEARTBEAT and isinstance(outcome, dict):
            # Nothing of it is stored; the log is where staff find it.
            logger.info("%s: %s answered", self._identity, call.action)
        return outcome

    def _meet(self, report: BootReport) -> None:
        """A station that introduces itself: with the hardware its certificate was made for."""
        self.reader.introduce(report)
        shown = self._socket.certificate
        if shown and not serial_fits(shown, identity=self._identity, serial=report.serial):
            self._shared.refuse(self._socket, Reason.WRONG_SERIAL)
            raise RpcError(Fault.SECURITY, "The serial number is not the certificate's")

    def _admit(self, answer: BootAnswer) -> None:
        self.registration = answer.registration
        self.introduced = True
        self._shared.replay.forget_station(station_id=self._station_id)

    async def _fetch(self, call: Call, errand: Errand) -> Payload:
        """What somebody else says to it, in time; else the honest answer that nobody did."""
        try:
            loop = asyncio.get_running_loop()
            async with asyncio.timeout(_ERRAND_S):
                answer = await loop.run_in_executor(self._shared.errands, errand.run)
            self._schemas.check_response(action=call.action, payload=answer)
        except Exception as error:  # noqa: BLE001 — whatever a stranger does, the station is answered
            logger.warning("%s: %s got no answer: %r", self._identity, call.action, error)
            return errand.otherwise
        return answer

    def _answer(self, call: Call, raw: bytes, payload: Payload, now_s: float) -> Reply:
        reply = encode_result(message_id=call.message_id, payload=payload)
        self._shared.replay.remember(
            station_id=self._station_id,
            message_id=call.message_id,
            action=call.action,
            frame=raw,
            reply=reply,
            now_s=now_s,
        )
        self._answered.inc()
        return Reply(reply, CALL_RESULT, call.message_id, call.action)

    def _refuse(self, call: Call, error: Exception) -> Reply:
        """What the station hears of a failure: its own fault by name, ours without internals."""
        if isinstance(error, RpcError):
            return self.refusal(error, call.message_id, call.action)
        if isinstance(error, StorageAway):
            away = RpcError(Fault.INTERNAL, "Temporarily unavailable, please repeat")
            return self.refusal(away, call.message_id, call.action)
        if not isinstance(error, NotStored):
            logger.error("%s: %s failed", self._identity, call.action, exc_info=error)
        failed = RpcError(Fault.INTERNAL, "The message could not be processed")
        return self.refusal(failed, call.message_id, call.action)
