"""Recharges that wait too long for their charger."""

import datetime

from django.db import transaction

from bookings.recharges import rules
from bookings.recharges.models import Recharge
from bookings.recharges.services.purpose import KEEPER
from bookings.recharges.services.start import fail_recharge
from bookings.recharges.services.stop import give_up_stop
from bookings.recharges.states import RechargeState
from mobility.core.transitions import LostRace

LIMIT = 200


def sweep_recharges(*, at: datetime.datetime) -> dict[str, int]:
    """Give up starts after three minutes and stops after two; returns how many of each.

    What a charger does after all is still noted: a late session is stopped again, a late end is
    priced.
    """
    starts = _stuck(RechargeState.STARTING, at - rules.START_PATIENCE)
    stops = _stuck(RechargeState.STOPPING, at - rules.STOP_PATIENCE)
    failed = given_up = 0
    for recharge in starts:
        try:
            with transaction.atomic():
                fail_recharge(recharge=recharge, failure="no_answer", at=at, by=KEEPER)
        except LostRace:
            continue
        failed += 1
    for recharge in stops:
        try:
            with transaction.atomic():
                give_up_stop(recharge=recharge, reason="no_answer", at=at)
        except LostRace:
            continue
        given_up += 1
    return {"starts_failed": failed, "stops_given_up": given_up}


def _stuck(state: RechargeState, since: datetime.datetime) -> list[Recharge]:
    return list(Recharge.objects.waiting(state, since=since).with_story()[:LIMIT])
