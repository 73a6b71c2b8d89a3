"""The words of riders: documents and their moves, rules to be read, reasons for a block."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mobility.core.transitions import Moves


class DocumentState(models.TextChoices):
    """Where a document stands. A newer one that is verified ends the one before."""

    SUBMITTED = "submitted", _("waiting for review")
    VERIFIED = "verified", _("verified")
    REJECTED = "rejected", _("rejected")
    EXPIRED = "expired", _("expired")


DOCUMENT_MOVES: Moves = {
    DocumentState.SUBMITTED: frozenset(
        {DocumentState.VERIFIED, DocumentState.REJECTED, DocumentState.EXPIRED}
    ),
    # Rejected after all: somebody found out later that it was not theirs.
    DocumentState.VERIFIED: frozenset({DocumentState.EXPIRED, DocumentState.REJECTED}),
    DocumentState.REJECTED: frozenset(),
    DocumentState.EXPIRED: frozenset(),
}


class PaperKind(models.TextChoices):
    """Which of a person's documents."""

    IDENTITY = "identity", _("identity document")
    LICENCE = "licence", _("driving licence")


class IdentityPaper(models.TextChoices):
    """What a person shows to say who they are."""

    IDENTITY_CARD = "identity_card", _("identity card")
    PASSPORT = "passport", _("passport")
    RESIDENCE_PERMIT = "residence_permit", _("residence permit")


class RejectionReason(models.TextChoices):
    """Why a document was not accepted."""

    UNREADABLE = "unreadable", _("the picture cannot be read")
    NOT_THEIRS = "not_theirs", _("name or date of birth do not match the account")
    OUT_OF_DATE = "out_of_date", _("the document is out of date")
    WRONG_DATA = "wrong_data", _("what was typed is not what the document says")
    NOT_ACCEPTED = "not_accepted", _("this kind of document is not accepted here")
    DUPLICATE = "duplicate", _("it belongs to another account")
    FORGED = "forged", _("the document is not genuine")


class TextKind(models.TextChoices):
    """What a rider reads and confirms before riding."""

    RULES = "rules", _("rules of the service")
    HELMET = "helmet", _("helmet and safety")


class RiderBlockReason(models.TextChoices):
    """Why somebody may not ride for now."""

    DOCUMENT_EXPIRED = "document_expired", _("a document has expired")
    DEBT = "debt", _("something is unpaid")
    HOARDING = "hoarding", _("vehicles were reserved and not used")
    MISUSE = "misuse", _("misuse of a vehicle")
    PHOTO_SANCTION = "photo_sanction", _("vehicles were parked badly")
    STAFF = "staff", _("decided by the operator")
    ERASED = "erased", _("the account is being closed")


# These follow from other facts and lift themselves; nobody places them by hand.
DERIVED = frozenset({RiderBlockReason.DOCUMENT_EXPIRED, RiderBlockReason.DEBT})
