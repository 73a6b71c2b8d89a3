"""The services behind the deeds. Runs in the writer thread, inside its transaction.

Every entry takes the facts of one verb, in order, and gives as many answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, Final

from charging.certificates import services as certificates
from charging.certificates.facts import CertificateShown
from charging.devices import services as devices
from charging.devices.states import Kept
from charging.energy import services as energy
from charging.frames import queries as frame_queries
from charging.frames import services as frames
from charging.frames.facts import FrameSeen, QuirkUse
from charging.frames.rules import mask
from charging.ocpp.deeds import Verb
from charging.sessions import services as sessions
from charging.sessions.facts import AuthorizationAsk, AuthorizationVerdict
from charging.stations import queries as station_queries
from charging.stations import services as stations
from charging.stations.facts import CommandResult, Opening
from charging.stations.models import ChargingStation

Batch = Callable[[list[Any], datetime], Sequence[Any]]


def _find(identities: list[str], _: datetime) -> Sequence[Any]:
    found = station_queries.credentials_by_identity(identities=identities)
    return [found.get(identity) for identity in identities]


def _seen(facts: list[dict[int, datetime]], at: datetime) -> Sequence[None]:
    newest: dict[int, datetime] = {}
    for fact in facts:
        newest.update(fact)
    stations.touch_stations(seen=newest, at=at)
    return [None] * len(facts)


def _open(openings: list[Opening], at: datetime) -> Sequence[int | None]:
    """The connections' numbers; a certificate is in use from the same moment on."""
    epochs = stations.open_connections(openings=openings, at=at)
    shown = [
        CertificateShown(station_id=opening.station_id, serial=opening.certificate)
        for opening, epoch in zip(openings, epochs, strict=True)
        if epoch is not None and opening.certificate
    ]
    certificates.note_shown(shown=shown, at=at)
    return epochs


def _close(facts: list[Any], at: datetime) -> Sequence[None]:
    stations.close_connections(closings=facts, at=at)
    return [None] * len(facts)


def _held(gateways: list[str], _: datetime) -> Sequence[dict[int, int]]:
    """Station → epoch of the connections that the database believes to be here."""
    return [
        dict(
            ChargingStation.objects.filter(
                gateway=gateway,
                connected_at__isnull=False,
            ).values_list("pk", "connection_epoch"),
        )
        for gateway in gateways
    ]


def _refused(facts: list[Any], at: datetime) -> Sequence[None]:
    stations.record_refused_handshakes(handshakes=facts, at=at)
    return [None] * len(facts)


def _frames(batches: list[list[FrameSeen]], _: datetime) -> Sequence[int]:
    kept = frames.record_frames(frames=list(chain.from_iterable(batches)))
    return [kept] * len(batches)


def _quirks(facts: list[list[QuirkUse]], _: datetime) -> Sequence[None]:
    frames.note_quirks(uses=list(chain.from_iterable(facts)))
    return [None] * len(facts)


def _forgiven(facts: list[Any], _: datetime) -> Sequence[Any]:
    profiles = frame_queries.active_profiles()
    return [profiles] * len(facts)


def _security_events(facts: list[Any], at: datetime) -> Sequence[None]:
    certificates.record_security_events(reports=facts, at=at)
    return [None] * len(facts)


def _open_streams(facts: list[Any], at: datetime) -> Sequence[bool]:
    taken = stations.open_streams(streams=facts, at=at)
    for fact, fits in zip(facts, taken, strict=True):
        if not fits:
            devices.note_overflow(station_id=fact.station_id, kind=Kept.STREAMS, times=1, at=at)
    return taken


def _close_streams(facts: list[Any], at: datetime) -> Sequence[None]:
    stations.close_streams(streams=facts, at=at)
    return [None] * len(facts)


def _stream_values(facts: list[Any], _: datetime) -> Sequence[None]:
    stations.keep_stream_values(values=facts)
    return [None] * len(facts)


def _authorize(asks: list[AuthorizationAsk], at: datetime) -> Sequence[AuthorizationVerdict]:
    """The verdicts, with the price for the drivers of stations that show it."""
    verdicts = sessions.authorize_many(asks=asks, at=at)
    return devices.tell_prices(asks=asks, verdicts=verdicts, at=at)


def _readings(facts: list[Any], at: datetime) -> Sequence[None]:
    sessions.record_readings(readings=facts, at=at)
    return [None] * len(facts)


def _devices(facts: list[Any], at: datetime) -> Sequence[None]:
    devices.record_facts(facts=facts, at=at)
    return [None] * len(facts)


def _take_commands(gateways: list[str], at: datetime) -> Sequence[Any]:
    return [stations.take_commands(gateway=gateway, at=at) for gateway in gateways]


def _mark_sent(facts: list[dict[int, int]], at: datetime) -> Sequence[set[int]]:
    return [stations.mark_commands_sent(sent=fact, at=at) for fact in facts]


def _finish(facts: list[CommandResult], at: datetime) -> Sequence[None]:
    """Passwords that a station blurts out when it is asked for its variables are kept nowhere."""
    for fact in facts:
        mask([fact.result, fact.details])
    stations.finish_commands(results=facts, at=at)
    return [None] * len(facts)


BATCHES: Final[Mapping[Verb, Batch]] = {
    Verb.FIND: _find,
    Verb.FINISH_COMMAND: _finish,
    Verb.OPEN: _open,
    Verb.CLOSE: _close,
    Verb.HELD: _held,
    Verb.SEEN: _seen,
    Verb.REFUSED: _refused,
    Verb.SIGNING: lambda facts, at: certificates.take_requests(asks=facts, at=at),
    Verb.SECURITY_EVENT: _security_events,
    Verb.STREAM_OPEN: _open_streams,
    Verb.STREAM_CLOSE: _close_streams,
    Verb.STREAM_VALUES: _stream_values,
    Verb.BOOT: lambda facts, at: stations.record_boots(boots=facts, at=at),
    Verb.STATUS: lambda facts, at: stations.record_statuses(reports=facts, at=at),
    Verb.AUTHORIZE: _authorize,
    Verb.START: lambda facts, at: sessions.start_sessions(starts=facts, at=at),
    Verb.STOP: lambda facts, at: sessions.stop_sessions(stops=facts, at=at),
    Verb.READINGS: _readings,
    Verb.EVENT: lambda facts, at: sessions.record_transaction_events(events=facts, at=at),
    Verb.SETTLEMENT: lambda facts, at: sessions.record_settlements(payments=facts, at=at),
    Verb.DEVICE: _devices,
    Verb.ENERGY: lambda facts, at: energy.record_facts(facts=facts, at=at),
    Verb.TAKE_COMMANDS: _take_commands,
    Verb.MARK_SENT: _mark_sent,
    Verb.FORGIVEN: _forgiven,
    Verb.QUIRKS: _quirks,
    Verb.FRAMES: _frames,
}
"""In the order in which one batch runs them: answers, connections, facts, new commands.

An answer came over a socket that was there: before that one's end, and before the next one's
beginning, both of which fail what is still unanswered.
"""


def quarantine(*, verb: Verb, fact: Any, error: Exception, at: datetime) -> None:
    """Keep a fact that no transaction would take, for a person to look at."""
    station_id = getattr(fact, "station_id", None)
    if station_id is None:
        return
    payload = getattr(fact, "payload", None) or {"fact": repr(fact)}
    sessions.quarantine(
        station_id=station_id,
        action=verb,
        payload=payload,
        reason=f"{type(error).__name__}: {error}",
        at=at,
    )
