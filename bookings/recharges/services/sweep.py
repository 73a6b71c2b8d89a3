"""Recharges that wait too long for their charger."""

import datetime
from collections.abc import Callable

import structlog
from django.db import transaction

from bookings.recharges import rules
from bookings.recharges.models import Recharge
from bookings.recharges.services.purpose import KEEPER
from bookings.recharges.services.start import fail_recharge
from bookings.recharges.services.stop import give_up_stop
from bookings.recharges.states import RechargeState
from mobility.core.errors import DomainError

log = structlog.get_logger(__name__)

LIMIT = 200


def sweep_recharges(*, at: datetime.datetime) -> dict[str, int]:
    """Give up starts after three minutes and stops after two; returns how many of each.

    What a charger does after all is still noted: a late session is stopped again, a late end is
    priced.
    """
    return {
        "starts_failed": _each(
            _stuck(RechargeState.STARTING, at - rules.START_PATIENCE),
            lambda recharge: fail_recharge(
                recharge=recharge, failure="no_answer", at=at, by=KEEPER
            ),
        ),
        "stops_given_up": _each(
            _stuck(RechargeState.STOPPING, at - rules.STOP_PATIENCE),
            lambda recharge: give_up_stop(recharge=recharge, reason="no_answer", at=at),
        ),
    }


def _stuck(state: RechargeState, since: datetime.datetime) -> list[Recharge]:
    return list(Recharge.objects.waiting(state, since=since).with_story()[:LIMIT])


def _each(recharges: list[Recharge], heal: Callable[[Recharge], object]) -> int:
    """Heal one by one: a recharge that resists must not keep the others waiting."""
    healed = 0
    for recharge in recharges:
        try:
            with transaction.atomic():
                heal(recharge)
        except DomainError as problem:
            name = str(recharge.public_id)
            log.warning("bookings.recharge_not_healed", recharge=name, code=problem.code)
        except Exception:
            # Not foreseen, so somebody has to look; the others go on all the same.
            log.exception("bookings.recharge_healing_failed", recharge=str(recharge.public_id))
        else:
            healed += 1
    return healed
