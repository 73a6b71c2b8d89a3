"""Riders hear what came of their documents and of blocks, by mail and in their language."""

import datetime

from django.utils.translation import gettext as _

from bookings.riders.events import (
    DocumentExpired,
    DocumentExpiring,
    DocumentRejected,
    DocumentVerified,
    RiderBlocked,
    RiderUnblocked,
)
from bookings.riders.services.profile import forget_mobility
from bookings.riders.states import PaperKind, RejectionReason, RiderBlockReason
from mobility.accounts.events import ConsentWithdrawn
from mobility.accounts.mail import write_to
from mobility.accounts.states import ConsentTopic
from mobility.core.outbox import handles


@handles(ConsentWithdrawn, when=lambda event: event.topic == ConsentTopic.REDUCED_MOBILITY)
def forget_reduced_mobility(event: ConsentWithdrawn, *, at: datetime.datetime) -> None:
    """Without the consent the fact goes."""
    forget_mobility(principal=event.user, at=at)


@handles(DocumentVerified)
def tell_verified(event: DocumentVerified, *, at: datetime.datetime) -> None:
    """It was accepted."""
    write_to(
        principal=event.user,
        subject=lambda: _("Your document has been verified"),
        body=lambda: (
            _("We have verified your %(document)s. It is good until %(until)s.")
            % {"document": PaperKind(event.kind).label, "until": event.valid_until}
        ),
    )


@handles(DocumentRejected)
def tell_rejected(event: DocumentRejected, *, at: datetime.datetime) -> None:
    """It was not, and why."""
    write_to(
        principal=event.user,
        subject=lambda: _("Your document was not accepted"),
        body=lambda: (
            _("We could not accept your %(document)s: %(reason)s. Please send it again.")
            % {
                "document": PaperKind(event.kind).label,
                "reason": RejectionReason(event.reason).label,
            }
        ),
    )


@handles(DocumentExpiring)
def tell_expiring(event: DocumentExpiring, *, at: datetime.datetime) -> None:
    """It ends soon."""
    write_to(
        principal=event.user,
        subject=lambda: _("Your document expires soon"),
        body=lambda: (
            _(
                "Your %(document)s is good until %(until)s. Send the new one in time: a booking after"
                " that day cannot start and is cancelled free of charge."
            )
            % {"document": PaperKind(event.kind).label, "until": event.valid_until}
        ),
    )


@handles(DocumentExpired)
def tell_expired(event: DocumentExpired, *, at: datetime.datetime) -> None:
    """It has ended."""
    write_to(
        principal=event.user,
        subject=lambda: _("Your document has expired"),
        body=lambda: (
            _("Your %(document)s has expired. Send the new one to ride again.")
            % {"document": PaperKind(event.kind).label}
        ),
    )


@handles(RiderBlocked)
def tell_blocked(event: RiderBlocked, *, at: datetime.datetime) -> None:
    """They may not ride, and why."""
    write_to(
        principal=event.user,
        subject=lambda: _("You cannot ride for now"),
        body=lambda: (
            _(
                "Your account cannot ride for now: %(reason)s. A ride that is under way can be ended as"
                " always. Write to support if you think this is wrong."
            )
            % {"reason": RiderBlockReason(event.reason).label}
        ),
    )


@handles(RiderUnblocked)
def tell_unblocked(event: RiderUnblocked, *, at: datetime.datetime) -> None:
    """They may ride again."""
    write_to(
        principal=event.user,
        subject=lambda: _("You can ride again"),
        body=lambda: _("You can ride again. Thank you for your patience."),
    )
