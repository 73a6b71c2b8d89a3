"""Brings queued commands to the stations connected here and their answers back.

NOTIFY only wakes: the command table is the truth, and a sweep each second finds what a lost
wake-up left. A command is marked sent before it goes on the wire, so a crash in between makes
it time out; it is never sent twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import psycopg
from django.db import connection
from websockets.exceptions import ConnectionClosed

from charging.ocpp.deeds import Unspeakable, Verb
from charging.ocpp.gateway import metrics
from charging.ocpp.gateway.link import Link
from charging.ocpp.gateway.links import Links
from charging.ocpp.gateway.writer import NotStored, Writer
from charging.ocpp.rpc.correlator import CallRefused, CallTimedOut, LinkClosed
from charging.ocpp.rpc.errors import RpcError
from charging.ocpp.rpc.frames import Payload
from charging.ocpp.rpc.schemas import schemas_of
from charging.stations.facts import CommandResult, CommandToSend
from charging.stations.services import TURNED_OUT
from charging.stations.states import WHILE_PENDING, CommandState, Registration

logger = logging.getLogger(__name__)

CHANNEL: Final = "station_command"
SWEEP_S: Final = 1.0
_RECONNECT_S: Final = 1.0


class Courier:
    """Two tasks: ``carry`` looks for work, ``listen`` wakes it."""

    def __init__(
        self,
        *,
        gateway: str,
        links: Links,
        writer: Writer,
        call_timeout_s: float,
        turned_out: Callable[[], None],
    ) -> None:
        self._gateway = gateway
        self._links = links
        self._writer = writer
        self._call_timeout_s = call_timeout_s
        self._turned_out = turned_out
        self._wake = asyncio.Event()
        self._deliveries: set[asyncio.Task[None]] = set()

    async def carry(self) -> None:
        """Send what is queued, as soon as woken and at least every second."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(SWEEP_S):
                    await self._wake.wait()
            self._wake.clear()
            try:
                await self._send_queued()
            except NotStored:
                logger.warning("commands wait for the database")

    async def listen(self) -> None:
        """Turn notifications into wake-ups; reconnect for ever, the sweep bridges the gap."""
        while True:
            try:
                await self._listen_once()
            except (psycopg.Error, OSError) as error:
                logger.warning("not listening for commands: %s", error)
            await asyncio.sleep(_RECONNECT_S)

    async def _listen_once(self) -> None:
        listener = await psycopg.AsyncConnection.connect(autocommit=True, **_address())
        async with listener:
            for channel in (CHANNEL, TURNED_OUT):
                await listener.execute(f"LISTEN {channel}")
            self._wake.set()
            async for told in listener.notifies():
                if told.channel == TURNED_OUT:
                    self._turned_out()
                else:
                    self._wake.set()

    async def _send_queued(self) -> None:
        commands: list[CommandToSend] = await self._writer.do(Verb.TAKE_COMMANDS, self._gateway)
        ready: dict[int, tuple[Link, CommandToSend]] = {}
        for command in commands:
            link = self._links.of(command.station_id)
            if link is not None and not link.correlator.busy:
                ready[command.command_id] = (link, command)
        if not ready:
            return
        epochs = {number: link.epoch for number, (link, _) in ready.items()}
        for number in await self._writer.do(Verb.MARK_SENT, epochs):
            task = asyncio.create_task(self._deliver(*ready[number]))
            self._deliveries.add(task)
            task.add_done_callback(self._deliveries.discard)

    async def _deliver(self, link: Link, command: CommandToSend) -> None:
        result = await self._exchange(link, command)
        metrics.COMMANDS.labels(outcome=result.state).inc()
        try:
            await self._writer.do(Verb.FINISH_COMMAND, result)
        except NotStored:
            # The sweep over sent commands will call it timed out.
            logger.exception("the outcome of command %s is not stored", command.command_id)
        self._wake.set()

    async def _exchange(self, link: Link, command: CommandToSend) -> CommandResult:
        if link.answers.registration == Registration.REJECTED:
            return _failed(command, reason="station_rejected")
        if (
            link.answers.registration == Registration.PENDING
            and command.action not in WHILE_PENDING
        ):
            return _failed(command, reason="station_pending")
        try:
            action, payload = link.dialect.say(command)
            _check_request(link, action, payload)
            link.answers.expect_after(action, payload)
            answer = await link.correlator.call(
                action=action,
                payload=payload,
                timeout_s=self._call_timeout_s,
            )
            await _check_answer(link, action, answer)
            return link.dialect.hear(command, answer)
        except Exception as error:  # noqa: BLE001 — a command must end, whatever its payload was
            return _unanswered(command, error)


async def _check_answer(link: Link, action: str, answer: Payload) -> None:
    """Raise RpcError for an answer that is none, and tell the station where there is a word."""
    try:
        schemas_of(link.dialect.version).check_response(action=action, payload=answer)
    except RpcError as error:
        await link.complain(error, message_id=link.correlator.last_id, action=action)
        raise


class _Unsendable(Exception):
    """Our own request is not what the standard allows: it stays here."""


def _check_request(link: Link, action: str, payload: Payload) -> None:
    try:
        schemas_of(link.dialect.version).check_request(action=action, payload=payload)
    except RpcError as error:
        raise _Unsendable(error.description) from error


def _unanswered(command: CommandToSend, error: Exception) -> CommandResult:
    """What a command without a proper answer has become."""
    if isinstance(error, CallTimedOut):
        return _failed(command, state=CommandState.TIMED_OUT, reason="no_answer")
    if isinstance(error, CallRefused):
        refusal = {"code": error.error.code, "description": error.error.description}
        return _failed(command, state=CommandState.REJECTED, reason="refused", **refusal)
    if isinstance(error, LinkClosed | ConnectionClosed | ConnectionError):
        return _failed(command, reason="connection_lost")
    return _unsaid(command, error)


def _unsaid(command: CommandToSend, error: Exception) -> CommandResult:
    """What could not be said to the station, or was answered with nonsense."""
    if isinstance(error, Unspeakable):
        return _failed(command, reason=str(error))
    if isinstance(error, _Unsendable):
        return _failed(command, reason="malformed", description=str(error))
    if isinstance(error, RpcError):
        return _failed(command, reason="invalid_answer", description=error.description)
    logger.error("command %s could not be sent", command.command_id, exc_info=error)
    return _failed(command, reason="internal")


def _failed(
    command: CommandToSend,
    *,
    reason: str,
    state: CommandState = CommandState.FAILED,
    **details: str,
) -> CommandResult:
    result: Payload = {"reason": reason, **details}
    return CommandResult(command_id=command.command_id, state=state, result=result)


def _address() -> dict[str, Any]:
    """Where Django's own connection goes, without what only Django understands."""
    parameters = connection.get_connection_params()
    return {
        name: value
        for name, value in parameters.items()
        if name not in {"cursor_factory", "context", "prepare_threshold"}
    }
