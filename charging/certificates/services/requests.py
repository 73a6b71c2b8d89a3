"""Requests for certificates: taken in by the gateway, signed by a worker, brought as a command."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction

from charging.certificates.authority import ensure_authority
from charging.certificates.events import CertificateAsked
from charging.certificates.facts import CertificateAnswer, CertificateAsk
from charging.certificates.models import CertificateRequest, StationCertificate
from charging.certificates.rules import (
    RequestRefused,
    check_request,
    digest_of,
    hex_serial,
    pem_of,
)
from charging.certificates.states import LIVING, CertificateKind, RequestState
from charging.stations.models import ChargingStation, StationCommand
from charging.stations.services import forget_oldest, queue_command, records_end
from charging.stations.states import CommandAction
from mobility.core import ids, outbox
from mobility.core.principals import SYSTEM
from mobility.core.transitions import move

MOST_PER_HOUR: Final = 5
"""Different requests of one station; a station that renews needs one, a broken one sends hundreds."""

PURPOSE: Final = "certificate"
_HOUR: Final = timedelta(hours=1)
# A chain waits for a station that is just restarting.
_DELIVERY_TTL_S: Final = 300


def take_requests(*, asks: Sequence[CertificateAsk], at: datetime) -> list[CertificateAnswer]:
    """Decide at once whether a chain will follow; runs inside the caller's transaction.

    1. The same request again is one request: its chain is brought again, whatever became of it
       before, at most `MOST_PER_HOUR` times an hour.
    2. More than `MOST_PER_HOUR` different ones of a station in an hour are refused, unwritten.
    3. What cannot be signed is kept with its reason and refused.
    """
    return [_take(ask, at=at) for ask in asks]


def _take(ask: CertificateAsk, *, at: datetime) -> CertificateAnswer:
    station = ChargingStation.objects.select_for_update().get(pk=ask.station_id)
    recent = CertificateRequest.objects.filter(station=station, asked_at__gt=at - _HOUR)
    digest = digest_of(ask.csr)
    known = recent.filter(digest=digest, kind=ask.kind).order_by("-pk").first()
    if known is not None:
        return _repeat(known, at=at)
    if recent.count() >= MOST_PER_HOUR:
        return CertificateAnswer(accepted=False, reason="too_many_requests")
    reason, key_type = _judge(ask, station)
    request = CertificateRequest.objects.create(
        station=station,
        kind=ask.kind,
        digest=digest,
        csr=ask.csr.replace("\x00", "")[:10_000],
        key_type=key_type,
        station_number=ask.station_number,
        asked_at=at,
    )
    if reason:
        move(request, to=RequestState.REFUSED, at=at, by=SYSTEM, reason=reason)
        CertificateRequest.objects.filter(pk=request.pk).update(reason=reason, finished_at=at)
        return CertificateAnswer(accepted=False, reason=reason)
    outbox.publish(CertificateAsked(request_id=str(request.public_id)), at=at)
    return CertificateAnswer(accepted=True)


def _judge(ask: CertificateAsk, station: ChargingStation) -> tuple[str, str]:
    """Why the request is refused, if it is, and what key it has.

    A certificate opens the door by identity or by serial number: one station's identity must not
    be another's serial number. Whoever comes without proof of being the station gets none, or the
    first who asks would hold its door.
    """
    if station.security_profile == 0:
        return "not_authenticated", ""
    if ask.kind != CertificateKind.STATION:
        # Certificates for vehicles come from a V2G authority, and we are none.
        return "no_v2g_authority", ""
    try:
        checked = check_request(ask.csr, names=frozenset({station.identity}))
    except RequestRefused as refusal:
        return refusal.reason, ""
    namesakes = ChargingStation.objects.filter(serial=station.identity).exclude(pk=station.pk)
    return ("wrong_name" if namesakes.exists() else ""), checked.key_type


def _repeat(request: CertificateRequest, *, at: datetime) -> CertificateAnswer:
    """Accepted means that a chain will come: also to a station that installed it and lost it since."""
    if request.state == RequestState.REFUSED:
        return CertificateAnswer(accepted=False, reason=request.reason)
    if request.state == RequestState.ASKED or _on_its_way(request):
        return CertificateAnswer(accepted=True)
    if request.certificate is None or request.certificate.state not in LIVING:
        # Revoked within the hour, or its row is gone: that key gets no chain again.
        return CertificateAnswer(accepted=False, reason="revoked")
    brought = StationCommand.objects.filter(
        station_id=request.station_id, purpose_ref=_purpose(request), queued_at__gt=at - _HOUR
    )
    if brought.count() >= MOST_PER_HOUR:
        return CertificateAnswer(accepted=False, reason="too_many_requests")
    if request.state != RequestState.SIGNED:
        move(request, to=RequestState.SIGNED, at=at, by=SYSTEM, finished_at=None)
    outbox.publish(CertificateAsked(request_id=str(request.public_id)), at=at)
    return CertificateAnswer(accepted=True)


def _purpose(request: CertificateRequest) -> str:
    return f"{PURPOSE}:{request.public_id}"


def _on_its_way(request: CertificateRequest) -> bool:
    bringing = StationCommand.objects.open().filter(station_id=request.station_id)
    return bringing.filter(purpose_ref=_purpose(request)).exists()


@transaction.atomic
def sign_and_send(*, request_id: UUID | str, at: datetime) -> None:
    """Sign a request, once, and bring the chain to its station.

    Doing it again brings it again, but not while it is on its way.
    """
    request = (
        CertificateRequest.objects.select_for_update(of=("self",))
        .select_related("station")
        .get(public_id=request_id)
    )
    if request.state == RequestState.ASKED:
        _sign(request, at=at)
    if request.state != RequestState.SIGNED or request.certificate is None:
        return
    if _on_its_way(request):
        return
    authority = ensure_authority(at=at)
    queue_command(
        station_id=request.station_id,
        action=CommandAction.CERTIFICATE_SIGNED,
        payload={
            "chain": request.certificate.pem + pem_of(authority.certificate),
            "use": "v2g" if request.kind == CertificateKind.V2G else "station",
            **({} if request.station_number is None else {"request_id": request.station_number}),
        },
        idempotency_key=f"{PURPOSE}:{request.public_id}:{ids.short_code(8)}",
        purpose_ref=_purpose(request),
        ttl_s=_DELIVERY_TTL_S,
        at=at,
        by=SYSTEM,
    )


def _sign(request: CertificateRequest, *, at: datetime) -> None:
    checked = check_request(request.csr, names=frozenset({request.station.identity}))
    signed = ensure_authority(at=at).sign(checked.csr, at=at)
    certificate = StationCertificate.objects.create(
        station=request.station,
        kind=request.kind,
        serial=hex_serial(signed),
        subject=signed.subject.rfc4514_string()[:300],
        pem=pem_of(signed),
        valid_from=signed.not_valid_before_utc,
        valid_until=signed.not_valid_after_utc,
        issued_at=at,
    )
    move(request, to=RequestState.SIGNED, at=at, by=SYSTEM, certificate=certificate)


def forget_requests(*, at: datetime) -> int:
    """Drop requests whose time is over, and certificates that ended as long ago; returns how many."""
    before = records_end(at=at)
    asked = forget_oldest(CertificateRequest.objects.all, told_at="asked_at", before=before)
    ended = forget_oldest(
        lambda: StationCertificate.objects.filter(valid_until__lt=before).exclude(state__in=LIVING),
        told_at="valid_until",
        before=before,
    )
    return asked + ended


@transaction.atomic
def note_delivery(*, request_id: UUID | str, outcome: str, at: datetime) -> None:
    """What the station said to its chain: ``accepted`` or ``rejected``; anything else says nothing.

    A chain that did not arrive is brought again when the station asks again.
    """
    ends = {"accepted": RequestState.INSTALLED, "rejected": RequestState.DECLINED}
    request = CertificateRequest.objects.filter(public_id=request_id).first()
    if request is None or request.state != RequestState.SIGNED or outcome not in ends:
        return
    move(request, to=ends[outcome], at=at, by=SYSTEM, finished_at=at)
