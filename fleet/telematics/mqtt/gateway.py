"""The edge as a client of the MQTT broker: takes reports, acknowledges what is safe, carries commands.

A message is acknowledged to the broker only after the log has it. While the log is full or away
nothing is acknowledged; the broker then sends at most `RECEIVE_MAXIMUM` more and keeps the rest. A
message that can never be taken is acknowledged too, or it would come for ever; the reason is told on
the device's error topic, as a reason code with the acknowledgement would end at the broker.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from fleet.telematics import mapping
from fleet.telematics import wire as json_wire
from fleet.telematics.edge import metrics
from fleet.telematics.edge.courier import seconds_left
from fleet.telematics.edge.intake import Said, Taken
from fleet.telematics.log import LogBusy
from fleet.telematics.mqtt import wire
from fleet.telematics.mqtt.again import Again
from fleet.telematics.services.credentials import RegisterUnreachable
from fleet.telematics.states import Protocol
from mobility.core import clock
from mobility.core.errors import DomainError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future

    from fleet.telematics.edge.courier import Courier
    from fleet.telematics.edge.intake import Intake
    from fleet.telematics.services.credentials import Credential
    from fleet.vehicles.mailbox import PendingCommand

log = structlog.get_logger(__name__)

RECEIVE_MAXIMUM = 500
# The broker keeps what came for us while we were away for so long; the longest there is.
_SESSION_EXPIRY_S = 0xFFFF_FFFF
_KEEPALIVE_S = 30
_REPLY_EXPIRY_S = 60
# Nothing but this bounds what comes with QoS 0.
_CROWDED = 2 * RECEIVE_MAXIMUM
# So often a message may fail for no known reason, once a second, before it is given up.
_ENOUGH_FAILURES = 60
_FAILED = "failed"
_ADAPTER = Protocol.MQTT.value
# Without types in the library.
_properties: Any = Properties


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to reach the broker, and who we are there."""

    address: wire.Address
    ca_file: str = ""


@dataclass(eq=False, kw_only=True)
class _Message:
    """A message that waits for its acknowledgement, and the connection on which it came."""

    serial: str
    mid: int
    qos: int
    connection: int
    report: json_wire.Read[json_wire.PointIn]
    reply_to: str = ""
    correlation: bytes = b""
    # How often it failed for no reason that we know of.
    failures: int = 0


class Gateway:
    """The connection to the broker; a carrier for the courier."""

    def __init__(self, intake: Intake, options: Options) -> None:
        self._intake = intake
        self._options = options
        self._client = self._make_client()
        # Counts connections: an acknowledgement belongs to the one on which its message came.
        self._connection = 0
        self._stopping = threading.Event()
        self._pending: set[int] = set()
        self._waits = threading.Condition()
        self._again = Again(self._submit)
        self.courier: Courier | None = None

    @property
    def is_connected(self) -> bool:
        """Whether the broker is there."""
        return self._client.is_connected()

    def start(self) -> None:
        """Connect, now or as soon as the broker is there."""
        self._again.start()
        address = self._options.address
        properties = _properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = _SESSION_EXPIRY_S
        properties.ReceiveMaximum = RECEIVE_MAXIMUM
        self._client.connect_async(
            address.host,
            address.port,
            keepalive=_KEEPALIVE_S,
            clean_start=False,
            properties=properties,
        )
        self._client.loop_start()

    def pause(self) -> None:
        """Take no new message; those unacknowledged come again to whoever takes over."""
        self._stopping.set()
        for message in self._again.stop():
            self._done(message)

    def stop(self, *, patience_s: float = 10.0) -> None:
        """Acknowledge what was taken, then hang up."""
        self.pause()
        with self._waits:
            self._waits.wait_for(lambda: not self._pending, timeout=patience_s)
        self._client.disconnect()
        self._client.loop_stop()

    # --- carrier ----------------------------------------------------------------------------------

    def reaches(self, speaker: Credential) -> bool:
        """Whether the broker is there; it keeps commands for a device that is not."""
        return self._client.is_connected()

    def carry(self, speaker: Credential, commands: Sequence[PendingCommand]) -> None:
        """Publish commands, each for as long as it may be obeyed."""
        at = clock.now()
        for command in commands:
            body = wire.write(mapping.command_out(command))
            expiry = seconds_left(command, at=at)
            self._publish(wire.command_topic(speaker.serial), body, expiry_s=expiry)

    # --- what comes in ----------------------------------------------------------------------------

    def _make_client(self) -> paho.Client:
        address = self._options.address
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=address.username or "edge",
            protocol=paho.MQTTv5,
            manual_ack=True,
        )
        if address.username:
            client.username_pw_set(address.username, address.password)
        if address.tls:
            client.tls_set(ca_certs=self._options.ca_file or None)
        client.max_inflight_messages_set(1_000)
        client.reconnect_delay_set(min_delay=1, max_delay=30)
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_message = self._received
        return client

    def _connected(
        self, client: paho.Client, _data: Any, _flags: Any, code: Any, _more: Any
    ) -> None:
        if code.is_failure:
            log.error("edge.broker_refused", reason=str(code))
            return
        self._connection += 1
        metrics.LINES.labels(_ADAPTER).set(1)
        client.subscribe([(topic, 1) for topic in wire.TAKEN_TOPICS])
        log.info("edge.broker_connected")

    def _disconnected(self, _client: Any, _data: Any, _flags: Any, code: Any, _more: Any) -> None:
        metrics.LINES.labels(_ADAPTER).set(0)
        log.warning("edge.broker_gone", reason=str(code))

    def _received(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        """Leave the waiting to the intake. What is raised here would end the library's thread."""
        if self._stopping.is_set():
            return
        try:
            self._read(message)
        except Exception:
            log.exception("edge.message_failed", size=len(message.payload))
            metrics.REFUSED.labels(_ADAPTER, _FAILED).inc()
            # The same bytes would fail again, and hold one of our places with the broker for ever.
            self._client.ack(message.mid, message.qos)
            with suppress(Exception):  # this thread must live, whatever the message is
                self._tell_failed(wire.serial_in(message.topic))

    def _read(self, message: paho.MQTTMessage) -> None:
        serial = wire.serial_in(message.topic)
        try:
            if serial is None:
                raise json_wire.ReportMalformed(reason="topic")
            if len(message.payload) > json_wire.MAX_BODY_BYTES:
                raise json_wire.ReportTooLarge
            if message.qos == 0 and len(self._pending) >= _CROWDED:
                raise LogBusy
            report = json_wire.read_report(bytes(message.payload))
            mapping.require_something(report)
        except DomainError as refusal:
            self._client.ack(message.mid, message.qos)
            self._refuse(serial, refusal)
            return
        self._submit(self._understood(message, str(serial), report))

    def _understood(
        self,
        message: paho.MQTTMessage,
        serial: str,
        report: json_wire.Read[json_wire.PointIn],
    ) -> _Message:
        properties: Any = message.properties
        return _Message(
            serial=serial,
            mid=message.mid,
            qos=message.qos,
            connection=self._connection,
            report=report,
            reply_to=getattr(properties, "ResponseTopic", ""),
            correlation=getattr(properties, "CorrelationData", b""),
        )

    def _submit(self, message: _Message) -> None:
        said = Said(
            protocol=Protocol.MQTT,
            name=message.serial,
            points=json_wire.pack(message.report.points),
            acks=mapping.acknowledgements(message.report),
        )
        with self._waits:
            self._pending.add(id(message))
        self._intake.submit(said).add_done_callback(partial(self._settle, message))

    def _settle(self, message: _Message, taken: Future[Taken]) -> None:
        """Acknowledge a message that is safe or hopeless; try the others again."""
        try:
            failure = _failure(taken)
            if failure is not None and self._may_come_true(message, failure):
                self._try_again(message, failure)
                return
            if message.connection == self._connection:
                self._client.ack(message.mid, message.qos)
        except Exception as unforeseen:
            log.exception("edge.message_not_settled", serial=message.serial)
            self._try_again(message, unforeseen)
            return
        try:
            self._tell_outcome(message, taken, failure)
        except Exception:
            # It is acknowledged; who waits for the reply will say it again.
            log.exception("edge.message_not_answered", serial=message.serial)
            metrics.REFUSED.labels(_ADAPTER, _FAILED).inc()
        finally:
            self._done(message)

    def _may_come_true(self, message: _Message, failure: BaseException) -> bool:
        """Whether another try may succeed; the broker repeats nothing of QoS 0, and nor do we."""
        if message.qos == 0:
            return False
        if isinstance(failure, DomainError):
            return isinstance(failure, Unavailable)
        message.failures += 1
        return message.failures < _ENOUGH_FAILURES

    def _try_again(self, message: _Message, failure: BaseException) -> None:
        metrics.REFUSED.labels(_ADAPTER, getattr(failure, "code", _FAILED)).inc()
        gone = self._stopping.is_set() or message.connection != self._connection
        if gone or message.qos == 0 or not self._again.put(message):
            self._done(message)  # it is not acknowledged, so the broker will send it again

    def _tell_outcome(
        self, message: _Message, taken: Future[Taken], failure: BaseException | None
    ) -> None:
        if failure is None:
            self._answer(message, taken.result())
        elif isinstance(failure, DomainError):
            self._refuse(message.serial, failure)
        else:
            metrics.REFUSED.labels(_ADAPTER, _FAILED).inc()
            self._tell_failed(message.serial)

    def _done(self, message: _Message) -> None:
        with self._waits:
            self._pending.discard(id(message))
            self._waits.notify_all()

    # --- what goes out ----------------------------------------------------------------------------

    def _answer(self, message: _Message, taken: Taken) -> None:
        metrics.REPORTS.labels(_ADAPTER).inc()
        reply = mapping.report_answer(message.report, taken.accepted)
        if reply.rejected:
            told = wire.Refusal("items_rejected", "some items could not be taken", reply.rejected)
            self._tell(message.serial, told)
        # Whatever a device asks for, we write on its own topics alone.
        if message.reply_to == wire.reply_topic(message.serial):
            self._publish(
                message.reply_to,
                wire.write(reply),
                expiry_s=_REPLY_EXPIRY_S,
                correlation=message.correlation,
            )
        if self.courier is not None:
            self.courier.offer(taken.speaker, taken.accepted.commands)

    def _refuse(self, serial: str | None, refusal: DomainError) -> None:
        metrics.REFUSED.labels(_ADAPTER, refusal.code).inc()
        log.warning("edge.message_refused", serial=serial, reason=refusal.code)
        if serial is not None:
            rejected = refusal.extra.get("rejected", [])
            self._tell(serial, wire.Refusal(refusal.code, refusal.detail, rejected))

    def _tell_failed(self, serial: str | None) -> None:
        if serial is not None:
            self._tell(
                serial, wire.Refusal(_FAILED, "this could not be taken, by no fault of yours")
            )

    def _tell(self, serial: str, refusal: wire.Refusal) -> None:
        self._publish(wire.error_topic(serial), wire.write(refusal), expiry_s=_REPLY_EXPIRY_S)

    def _publish(self, topic: str, body: bytes, *, expiry_s: int, correlation: bytes = b"") -> None:
        properties = _properties(PacketTypes.PUBLISH)
        properties.MessageExpiryInterval = expiry_s
        if correlation:
            properties.CorrelationData = correlation
        self._client.publish(topic, body, qos=1, properties=properties)


def _failure(taken: Future[Taken]) -> BaseException | None:
    """Why a message is not taken, or not whole."""
    failure = taken.exception()
    if failure is None and taken.result().accepted.postponed_acks:
        return RegisterUnreachable()  # once more, points and all: they are stored once
    return failure
