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
from mobility.accounts.states import ConsentTopic
from mobility.core.outbox import handles
from mobility.notifications.services import tell
from mobility.notifications.states import Topic


@handles(ConsentWithdrawn, when=lambda event: event.topic == ConsentTopic.REDUCED_MOBILITY)
def forget_reduced_mobility(event: ConsentWithdrawn, *, at: datetime.datetime) -> None:
    """Without the consent the fact goes."""
    forget_mobility(principal=event.user, at=at)


@handles(DocumentVerified)
def tell_verified(event: DocumentVerified, *, at: datetime.datetime) -> None:
    """It was accepted."""
    tell(
        principal=event.user,
        topic=Topic.ACCOUNT,
        ref=f"verified:{event.document}:{int(at.timestamp())}",
        subject=lambda: _("Your document has been verified"),
        body=lambda: (
            _("We have verified your %(document)s. It is good until %(until)s.")
            % {"document": PaperKind(event.kind).label, "until": event.valid_until}
        ),
        path="/profile/papers/",
        at=at,
    )


@handles(DocumentRejected)
def tell_rejected(event: DocumentRejected, *, at: datetime.datetime) -> None:
    """It was not, and why."""
    tell(
        principal=event.user,
        topic=Topic.ACCOUNT,
        ref=f"rejected:{event.document}:{int(at.timestamp())}",
        subject=lambda: _("Your document was not accepted"),
        body=lambda: (
            _("We could not accept your %(document)s: %(reason)s. Please send it again.")
            % {
                "document": PaperKind(event.kind).label,
                "reason": RejectionReason(event.reason).label,
            }
        ),
        path="/profile/papers/",
        at=at,
    )


@handles(DocumentExpiring)
def tell_expiring(event: DocumentExpiring, *, at: datetime.datetime) -> None:
    """It ends soon."""
    tell(
        principal=event.user,
        topic=Topic.ACCOUNT,
        ref=f"expiring:{event.document}:{event.days}",
        subject=lambda: _("Your document expires soon"),
        body=lambda: (
            _(
                "Your %(document)s is good until %(until)s. Send the new one in time: a booking after"
                " that day cannot start and is cancelled free of charge."
            )
            % {"document": PaperKind(event.kind).label, "until": event.valid_until}
        ),
        path="/profile/papers/",
        at=at,
    )


@handles(DocumentExpired)
def tell_expired(event: DocumentExpired, *, at: datetime.datetime) -> None:
    """It has ended."""
    tell(
        principal=event.user,
        topic=Topic.ACCOUNT,
        ref=f"expired:{event.document}:{int(at.timestamp())}",
        subject=lambda: _("Your document has expired"),
        body=lambda: (
            _("Your %(document)s has expired. Send the new one to ride again.")
            % {"document": PaperKind(event.kind).label}
        ),
        path="/profile/papers/",
        at=at,
    )


@handles(RiderBlocked)
def tell_blocked(event: RiderBlocked, *, at: datetime.datetime) -> None:
    """They may not ride, and why."""
    tell(
        principal=event.user,
        topic=Topic.ACCOUNT,
        ref=f"blocked:{event.block}:{int(at.timestamp())}",
        subject=lambda: _("You cannot ride for now"),
        body=lambda: (
            _(
                "Your account cannot ride for now: %(reason)s. A ride that is under way can be ended as"
                " always. Write to support if you think this is wrong."
            )
            % {"reason": RiderBlockReason(event.reason).label}
        ),
        path="/profile/papers/",
        at=at,
    )


@handles(RiderUnblocked)
def tell_unblocked(event: RiderUnblocked, *, at: datetime.datetime) -> None:
    """They may ride again."""
    tell(
        principal=event.user,
        topic=Topic.ACCOUNT,
        ref=f"unblocked:{event.block}:{int(at.timestamp())}",
        subject=lambda: _("You can ride again"),
        body=lambda: _("You can ride again. Thank you for your patience."),
        path="/profile/papers/",
        at=at,
    )
