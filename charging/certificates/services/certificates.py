"""The life of issued certificates: first use, renewal, revocation, end; and what stations hold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet

from charging.certificates.events import CertificateRevoked
from charging.certificates.facts import CertificateShown, HeldCertificate
from charging.certificates.models import InstalledCertificate, StationCertificate
from charging.certificates.rules import RENEW_BEFORE
from charging.certificates.states import LIVING, CertificateState
from charging.stations.models import ChargingStation
from charging.stations.services import queue_command, turn_out_station
from charging.stations.states import CommandAction
from mobility.core import audit, outbox, sweeps
from mobility.core.principals import SYSTEM, Principal
from mobility.core.transitions import move, move_many

log = structlog.get_logger(__name__)

_ASK_AGAIN: Final = timedelta(days=1)
_AT_ONCE: Final = 1_000
"""Rows that one round takes; the next one goes on."""


def note_shown(*, shown: Sequence[CertificateShown], at: datetime) -> None:
    """A station connected with a certificate of ours: it is in use, the one before is superseded.

    Runs inside the caller's transaction. Certificates of other authorities are none of ours.
    """
    for fact in shown:
        own = StationCertificate.objects.select_for_update().filter(station_id=fact.station_id)
        current = own.filter(serial=fact.serial).first()
        if current is None or current.state == CertificateState.IN_USE:
            continue
        if current.state not in LIVING:
            continue
        before = own.filter(state=CertificateState.IN_USE, kind=current.kind)
        move_many(list(before), to=CertificateState.SUPERSEDED, at=at, by=SYSTEM)
        used_at = current.used_at or at
        move(current, to=CertificateState.IN_USE, at=at, by=SYSTEM, used_at=used_at)


def renew_certificates(*, at: datetime) -> int:
    """Ask stations to renew what ends within 30 days, once a day, and end what has ended.

    Returns how many stations were asked. A station that is away is asked when it is back. Each is
    asked in a transaction of its own: no station's answer waits for the round over all.
    """
    ended = StationCertificate.objects.filter(state__in=LIVING, valid_until__lte=at)
    for row in sweeps.each_alone(
        list(ended.order_by("pk")[:_AT_ONCE]),
        lambda row: move(row, to=CertificateState.EXPIRED, at=at, by=SYSTEM),
        event="charging.certificate_not_ended",
        named=lambda row: row.serial,
    ):
        log.info("charging.certificate_ended", serial=row.serial)
    asked = sweeps.each_alone(
        list(_ending(at=at).values_list("station_id", flat=True).distinct()[:_AT_ONCE]),
        lambda station_id: _renew(station_id, at=at),
        event="charging.renewal_not_asked",
        named=lambda station_id: station_id,
    )
    return sum(asked)


def _ending(*, at: datetime) -> QuerySet[StationCertificate]:
    """What ends soon, at stations that are here and were not asked today."""
    return StationCertificate.objects.filter(
        Q(renewal_asked_at__isnull=True) | Q(renewal_asked_at__lte=at - _ASK_AGAIN),
        state__in=(CertificateState.ISSUED, CertificateState.IN_USE),
        valid_until__lte=at + RENEW_BEFORE,
        station__connected_at__isnull=False,
    ).order_by("station_id")


def _renew(station_id: int, *, at: datetime) -> bool:
    """Ask one station for the first of its certificates that nothing newer replaces."""
    ending = _ending(at=at).select_for_update(of=("self",)).filter(station_id=station_id)
    for certificate in ending.order_by("pk"):
        newer = StationCertificate.objects.filter(
            station_id=station_id,
            kind=certificate.kind,
            state__in=LIVING,
            valid_until__gt=at + RENEW_BEFORE,
        )
        if not newer.exists():
            _ask_renewal(certificate, at=at)
            return True
    return False


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
    """Let a certificate open nothing any more, and close what it has opened."""
    # The station first, as when it connects.
    stations = ChargingStation.objects.select_for_update(of=("self",), no_key=True)
    station = stations.get(certificates=certificate_id)
    certificate: StationCertificate = StationCertificate.objects.select_for_update().get(
        pk=certificate_id,
    )
    if certificate.state == CertificateState.REVOKED:
        return certificate
    was_shown = certificate.state == CertificateState.IN_USE
    move(certificate, to=CertificateState.REVOKED, at=at, by=by, revoked_at=at)
    if certificate.serial not in station.revoked_certificates:
        station.revoked_certificates = [*station.revoked_certificates, certificate.serial]
        station.save(update_fields=["revoked_certificates"])
    if was_shown:
        turn_out_station(station_id=station.pk, at=at)
    outbox.publish(CertificateRevoked(serial=certificate.serial), at=at)
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
