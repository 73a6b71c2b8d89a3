"""An offer is promised to somebody, kept, or given back; its places never run below nothing.

DomainError
└── Gone  OfferGone
"""

from __future__ import annotations

import datetime

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from fleet.incentives.models import IncentiveOffer
from fleet.incentives.states import OfferState
from mobility.core.errors import Gone
from mobility.core.principals import Principal
from mobility.core.transitions import move


class OfferGone(Gone):
    """Withdrawn, over, or somebody else was faster."""

    code = "offer_gone"
    message = _("This offer is no longer there. See what else is offered nearby.")


def take_offer(*, offer_id: int, at: datetime.datetime, by: Principal) -> IncentiveOffer:
    """Promise a place of an open offer. Raises `OfferGone`.

    The row is locked first, so that of two who ask for the last place one hears that it is gone.
    """
    with transaction.atomic():
        offer = _locked(offer_id)
        open_now = offer.state == OfferState.OPEN and offer.valid_until > at
        if not open_now or offer.promised + offer.kept >= offer.places:
            raise OfferGone
        _count(offer, promised=1)
        if offer.promised + offer.kept >= offer.places:
            move(offer, to=OfferState.TAKEN, at=at, by=by)
    return offer


def keep_offer(*, offer_id: int, at: datetime.datetime) -> IncentiveOffer:
    """The ride did what was promised: the place is filled, also of an offer withdrawn meanwhile."""
    with transaction.atomic():
        offer = _locked(offer_id)
        _count(offer, promised=-1, kept=1)
    return offer


def give_back_offer(*, offer_id: int, at: datetime.datetime, by: Principal) -> IncentiveOffer:
    """The ride did something else: the place is free again, if the offer still stands."""
    with transaction.atomic():
        offer = _locked(offer_id)
        _count(offer, promised=-1)
        if offer.state == OfferState.TAKEN:
            move(offer, to=OfferState.OPEN, at=at, by=by, reason="given_back")
    return offer


def _locked(offer_id: int) -> IncentiveOffer:
    return IncentiveOffer.objects.select_for_update(of=("self",)).get(pk=offer_id)


def _count(offer: IncentiveOffer, *, promised: int, kept: int = 0) -> None:
    IncentiveOffer.objects.filter(pk=offer.pk).update(
        promised=F("promised") + promised, kept=F("kept") + kept
    )
    offer.promised += promised
    offer.kept += kept
