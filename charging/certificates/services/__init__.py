"""Writes about certificates; one module per kind of deed."""

from charging.certificates.services.certificates import (
    note_held,
    note_shown,
    renew_certificates,
    revoke_certificate,
)
from charging.certificates.services.events import forget_security_events, record_security_events
from charging.certificates.services.requests import (
    MOST_PER_HOUR,
    PURPOSE,
    forget_requests,
    note_delivery,
    sign_and_send,
    take_requests,
)
from charging.certificates.services.revocations import renew_revocations, sign_revocations
from charging.certificates.services.rising import (
    certificate_arrived,
    go_on,
    raise_security_profile,
    tell_profile,
)

__all__ = [
    "MOST_PER_HOUR",
    "PURPOSE",
    "certificate_arrived",
    "forget_requests",
    "forget_security_events",
    "go_on",
    "note_delivery",
    "note_held",
    "note_shown",
    "raise_security_profile",
    "record_security_events",
    "renew_certificates",
    "renew_revocations",
    "revoke_certificate",
    "sign_and_send",
    "sign_revocations",
    "take_requests",
    "tell_profile",
]
