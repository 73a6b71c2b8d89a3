"""The life of issued certificates: first use, renewal, revocation, end; and what stations hold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q

from charging.certificates.facts import CertificateShown, HeldCertificate
from charging.certificates.models import InstalledCertificate, StationCertificate
from charging.certificates.rules import RENEW_BEFORE
from charging.certificates.states import CertificateState
from charging.stations.models import ChargingStation
from charging.stations.services import queue_command
from charging.stations.states import CommandAction
from mobility.core import audit
from mobility.core.principals import SYSTEM, Principal
from mobility.core.transitions import move, move_many

_ASK_AGAIN: Final = timedelta(days=1)
_LIVING: Final = (
    CertificateState.ISSUED,
    CertificateState.IN_USE,
    CertificateState.SUPERSEDED,
)


def note_shown(*, shown: Sequence[CertificateShown], at: datetime) -> None:
    """A station connected with a certificate of ours: it is in use, the one before is superseded.

    Runs inside the caller's transaction. Certificates of other authorities are none of ours.
    """
    for fact in shown:
        own = StationCertificate.objects.select_for_update().filter(station_id=fact.station_id)
        current = own.filter(serial=fact.serial).first()
        if current is None or current.state == CertificateState.IN_USE:
            continue
        if current.state not in _LIVING:
            continue
        before = own.filter(state=CertificateState.IN_USE, kind=current.kind)
        move_many(list(before), to=CertificateState.SUPERSEDED, at=at, by=SYSTEM)
        used_at = current.used_at or at
        move(current, to=CertificateState.IN_USE, at=at, by=SYSTEM, used_at=used_at)


@transaction.atomic
def renew_certificates(*, at: datetime) -> int:
    """Ask stations to renew what ends within 30 days, once a day, and end what has ended.

    Returns how many stations were asked. A station that is away is asked when it is back.
    """
    ended = StationCertificate.objects.filter(state__in=_LIVING, valid_until__lte=at)
    move_many(list(ended), to=CertificateState.EXPIRED, at=at, by=SYSTEM)
    ending = (
        StationCertificate.objects.select_for_update(of=("self",), skip_locked=True)
        .filter(
            Q(renewal_asked_at__isnull=True) | Q(renewal_asked_at__lte=at - _ASK_AGAIN),
            state__in=(CertificateState.ISSUED, CertificateState.IN_USE),
            valid_until__lte=at + RENEW_BEFORE,
            station__connected_at__isnull=False,
        )
        .order_by("pk")
    )
    asked: set[int] = set()
    for certificate in ending:
        newer = StationCertificate.objects.filter(
            station_id=certificate.station_id,
            kind=certificate.kind,
            state__in=_LIVING,
            valid_until__gt=at + RENEW_BEFORE,
        )
        if certificate.station_id not in asked and not newer.exists():
            _ask_renewal(certificate, at=at)
            asked.add(certificate.station_id)
    return len(asked)


def _ask_renewal(certificate: StationCertificate, *, at: datetime) -> None:
    StationCertificate.objects.filter(pk=certificate.pk).update(renewal_asked_at=at)
    queue_command(
        station_id=certificate.station_id,
        action=CommandAction.TRIGGER,
        payload={"message": "sign_certificate"},
        idempotency_key=f"renew:{certificate.public_id}:{at:%Y%m%d%H}",
        purpose_ref=f"renewal:{certificate.public_id}",
        at=at,
        by=SYSTEM,
    )


@transaction.atomic
def revoke_certificate(*, certificate_id: int, at: datetime, by: Principal) -> StationCertificate:
    """Let a certificate open nothing any more, from the next handshake on."""
    certificate: StationCertificate = StationCertificate.objects.select_for_update().get(
        pk=certificate_id,
    )
    if certificate.state == CertificateState.REVOKED:
        return certificate
    move(certificate, to=CertificateState.REVOKED, at=at, by=by)
    station = ChargingStation.objects.select_for_update().get(pk=certificate.station_id)
    if certificate.serial not in station.revoked_certificates:
        station.revoked_certificates = [*station.revoked_certificates, certificate.serial]
        station.save(update_fields=["revoked_certificates"])
    audit.record(by=by, action="revoke_certificate", row=station, at=at)
    return certificate


@transaction.atomic
def note_held(
    *,
    station_id: int,
    use: str,
    held: Sequence[HeldCertificate],
    at: datetime,
) -> None:
    """What a station says it holds for the use it was asked about, or for all; the rest is gone."""
    InstalledCertificate.objects.filter(
        Q(use=use) if use else Q(),
        station_id=station_id,
    ).delete()
    InstalledCertificate.objects.bulk_create(
        [
            InstalledCertificate(
                station_id=station_id,
                use=(one.use or use)[:40],
                hash_algorithm=one.hash_algorithm[:10],
                issuer_name_hash=one.issuer_name_hash[:128],
                issuer_key_hash=one.issuer_key_hash[:128],
                serial=one.serial[:40],
                seen_at=at,
            )
            for one in held
        ],
        ignore_conflicts=True,
    )
