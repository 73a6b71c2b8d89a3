"""Writes of riders: documents and verdicts, blocks, confirmations, particulars, and the gate."""

from bookings.riders.services.access import AccessRefused, refuse_unfit
from bookings.riders.services.blocks import (
    AlreadyBlocked,
    BlockDerived,
    close_outlived_blocks,
    lift_block,
    lift_blocks,
    place_block,
)
from bookings.riders.services.documents import (
    DocumentOutOfDate,
    LicenceImplausible,
    NobodyReviews,
    record_licence,
    submit_identity,
    submit_licence,
)
from bookings.riders.services.profile import (
    BirthDateImplausible,
    BirthDateVerified,
    ConsentNeeded,
    update_profile,
)
from bookings.riders.services.review import (
    DocumentLapsed,
    LicenceOnAnotherAccount,
    OwnDocument,
    ask_again,
    check_document,
    follow_calendar,
    forget_old_papers,
    reject_document,
    verify_document,
)
from bookings.riders.services.texts import (
    TextPublished,
    TextUnknown,
    acknowledge,
    ensure_text,
    publish_text,
)

__all__ = [
    "AccessRefused",
    "AlreadyBlocked",
    "BirthDateImplausible",
    "BirthDateVerified",
    "BlockDerived",
    "ConsentNeeded",
    "DocumentLapsed",
    "DocumentOutOfDate",
    "LicenceImplausible",
    "LicenceOnAnotherAccount",
    "NobodyReviews",
    "OwnDocument",
    "TextPublished",
    "TextUnknown",
    "acknowledge",
    "ask_again",
    "check_document",
    "close_outlived_blocks",
    "ensure_text",
    "follow_calendar",
    "forget_old_papers",
    "lift_block",
    "lift_blocks",
    "place_block",
    "publish_text",
    "record_licence",
    "refuse_unfit",
    "reject_document",
    "submit_identity",
    "submit_licence",
    "update_profile",
    "verify_document",
]
