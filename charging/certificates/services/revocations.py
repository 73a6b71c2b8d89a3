"""The list of what our authority revoked, signed by a worker and handed out from the database."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives import serialization
from django.db import transaction

from charging.certificates.authority import certificate_file, ensure_authority
from charging.certificates.models import RevocationList, StationCertificate
from charging.certificates.rules import Revoked, revocation_list
from charging.certificates.states import CertificateState
from mobility.core import locks

HOLDS_FOR: Final = timedelta(days=7)
_RENEW_AFTER: Final = timedelta(days=1)
_KEPT: Final = 10


@transaction.atomic
def sign_revocations(*, at: datetime) -> RevocationList:
    """Sign the list anew, with a number of its own. Certificates that are over leave it.

    Raises OSError where the authority's folder cannot be read.
    """
    locks.advisory("charging.certificates.revocations")
    newest = RevocationList.objects.order_by("-number").first()
    number = newest.number + 1 if newest else 1
    revoked = StationCertificate.objects.filter(
        state=CertificateState.REVOKED, valid_until__gt=at
    ).order_by("pk")
    entries = [Revoked(one.serial, one.revoked_at or one.issued_at) for one in revoked]
    authority = ensure_authority(at=at)
    signed = revocation_list(
        entries,
        issuer=authority.certificate,
        key=authority.key,
        number=number,
        at=at,
        holds_until=at + HOLDS_FOR,
    )
    made = RevocationList.objects.create(
        number=number,
        der=signed.public_bytes(serialization.Encoding.DER),
        revoked=len(entries),
        made_at=at,
        holds_until=at + HOLDS_FOR,
    )
    RevocationList.objects.filter(number__lte=number - _KEPT).delete()
    return made


def renew_revocations(*, at: datetime) -> bool:
    """Sign the list anew where it is a day old; False where nobody ever asked our authority."""
    if not certificate_file().exists():
        return False
    fresh = RevocationList.objects.filter(made_at__gt=at - _RENEW_AFTER)
    if fresh.exists():
        return False
    sign_revocations(at=at)
    return True
