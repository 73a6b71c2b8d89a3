"""Blocks: placed for a reason, lifted by hand or by time.

DomainError
├── Conflict  AlreadyBlocked  for this very reason
└── Invalid   BlockDerived    reasons that follow from other facts are not placed by hand
"""

import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from bookings.riders.events import RiderBlocked, RiderUnblocked
from bookings.riders.models import RiderBlock
from bookings.riders.states import DERIVED, RiderBlockReason
from mobility.accounts.models import User
from mobility.core import audit, outbox
from mobility.core.errors import Conflict, Invalid
from mobility.core.principals import Principal, system_principal

SWEEP = system_principal("rider-blocks")
CLOSE_AT_ONCE = 500


class AlreadyBlocked(Conflict):
    """There is an active block of this person with the same reason and reference."""

    code = "already_blocked"
    message = _("This person is blocked for this reason already.")


class BlockDerived(Invalid):
    """Debts and expired documents block by themselves."""

    code = "block_derived"
    message = _("This block follows from other facts and cannot be placed by hand.")


def place_block(
    *,
    user_id: int,
    reason: RiderBlockReason | str,
    ref: str = "",
    until: datetime.datetime | None = None,
    organisation_id: int | None = None,
    note: str = "",
    at: datetime.datetime,
    by: Principal,
) -> RiderBlock:
    """Keep somebody from riding until `until`, or until somebody lifts it; a running ride goes on.

    With one operator, or everywhere if `organisation_id` is None. The same reason and reference again
    returns the block that stands. Raises `BlockDerived`.
    """
    if reason in DERIVED:
        raise BlockDerived
    whose = {
        "user_id": user_id,
        "organisation_id": organisation_id,
        "reason": reason,
        "ref": ref,
    }
    block = RiderBlock(**whose, note=note, since=at, until=until, placed_by=by)
    try:
        with transaction.atomic():
            block.save(force_insert=True)
            audit.record(by=by, action="place_block", row=block, at=at, changes=_trace(block))
            outbox.publish(_blocked(block), at=at)
    except IntegrityError as problem:
        standing = RiderBlock.objects.active().filter(**whose).first()
        if standing is None:
            raise AlreadyBlocked from problem
        return standing
    return block


def lift_block(*, block: RiderBlock, at: datetime.datetime, by: Principal, note: str = "") -> bool:
    """Let somebody ride again; whether it was this call that lifted it."""
    with transaction.atomic():
        lifted = RiderBlock.objects.active().filter(pk=block.pk).update(lifted_at=at, lifted_by=by)
        if lifted:
            changes = {"note": note} if note else {}
            audit.record(by=by, action="lift_block", row=block, at=at, changes=changes)
            outbox.publish(_unblocked(block), at=at)
            block.lifted_at, block.lifted_by = at, by
    return bool(lifted)


def lift_blocks(
    *,
    user_id: int,
    reason: RiderBlockReason | str,
    ref: str = "",
    at: datetime.datetime,
    by: Principal,
) -> int:
    """Lift the active blocks of one reason and reference, with every operator; how many there were."""
    rows = RiderBlock.objects.active().filter(user=user_id, reason=reason, ref=ref)
    return sum(lift_block(block=block, at=at, by=by) for block in rows.select_related("user"))


def close_outlived_blocks(*, at: datetime.datetime) -> int:
    """Lift blocks whose time is over; they have kept nobody from riding since. Returns how many."""
    rows = RiderBlock.objects.outlived(at).select_related("user")[:CLOSE_AT_ONCE]
    return sum(lift_block(block=block, at=at, by=SWEEP) for block in rows)


def _trace(block: RiderBlock) -> dict[str, str]:
    return {
        "reason": block.reason,
        "ref": block.ref,
        "note": block.note,
        "until": _iso(block.until),
    }


def _iso(at: datetime.datetime | None) -> str:
    return at.isoformat() if at else ""


def _blocked(block: RiderBlock) -> RiderBlocked:
    return RiderBlocked(
        user=User.objects.get(pk=block.user_id).principal,
        block=str(block.public_id),
        organisation_id=block.organisation_id,
        reason=block.reason,
        until=_iso(block.until),
    )


def _unblocked(block: RiderBlock) -> RiderUnblocked:
    return RiderUnblocked(
        user=block.user.principal,
        block=str(block.public_id),
        organisation_id=block.organisation_id,
        reason=block.reason,
    )
