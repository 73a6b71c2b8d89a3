"""Writes of offers to riders."""

from fleet.incentives.services.refreshing import refresh_fleet, refresh_offers
from fleet.incentives.services.taking import (
    OfferGone,
    give_back_offer,
    keep_offer,
    take_offer,
)

__all__ = [
    "OfferGone",
    "give_back_offer",
    "keep_offer",
    "refresh_fleet",
    "refresh_offers",
    "take_offer",
]
