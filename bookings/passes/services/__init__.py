"""Writes of passes and codes, one file per verb."""

from bookings.passes.services.redeem import (
    CodeExhausted,
    CodeOver,
    CodeRedeemed,
    CodeUnknown,
    redeem_code,
)
from bookings.passes.services.renew import sweep_passes
from bookings.passes.services.restore import restore_perks
from bookings.passes.services.sell import (
    PassNotOnSale,
    PassNotRenewable,
    PassNotReturnable,
    buy_pass,
    note_pass_paid,
    note_pass_refused,
    return_pass,
    set_auto_renew,
)
from bookings.passes.services.use import price_as_granted, reprice_with_perks, use_perks
from bookings.passes.services.verify import verify_discount

__all__ = [
    "CodeExhausted",
    "CodeOver",
    "CodeRedeemed",
    "CodeUnknown",
    "PassNotOnSale",
    "PassNotRenewable",
    "PassNotReturnable",
    "buy_pass",
    "note_pass_paid",
    "note_pass_refused",
    "price_as_granted",
    "redeem_code",
    "reprice_with_perks",
    "restore_perks",
    "return_pass",
    "set_auto_renew",
    "sweep_passes",
    "use_perks",
    "verify_discount",
]
