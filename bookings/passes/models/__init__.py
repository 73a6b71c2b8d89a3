"""What people have besides money: passes, codes, discounts, and what rides used of them."""

from bookings.passes.models.codes import PromoCode, PromoRedemption
from bookings.passes.models.discounts import DiscountStatus
from bookings.passes.models.passes import Pass, PassProduct
from bookings.passes.models.uses import PassUse, PerkUse

__all__ = [
    "DiscountStatus",
    "Pass",
    "PassProduct",
    "PassUse",
    "PerkUse",
    "PromoCode",
    "PromoRedemption",
]
