"""Recharges that wait too long for their charger, cost enough, or get nothing."""

import datetime
from collections.abc import Callable, Iterable
from itertools import islice
from typing import TypeVar

import structlog
from django.db import models

from bookings.recharges import rules
from bookings.recharges.models import KeptConnector, Recharge
from bookings.recharges.queries import live_figures
from bookings.recharges.services.keep import expire_kept
from bookings.recharges.services.purpose import KEEPER
from bookings.recharges.services.start import fail_recharge
from bookings.recharges.services.stop import give_up_stop, stop_again, wish_stop
from bookings.recharges.states import RechargeState, StopReason
from charging.sessions.rules import delivered_nothing
from charging.sessions.states import SESSION_OPEN
from charging.tariffs.rules import read_prices
from mobility.core import sweeps

log = structlog.get_logger(__name__)

LIMIT = 200

Row = TypeVar("Row", bound=models.Model)


def sweep_recharges(*, at: datetime.datetime) -> dict[str, int]:
    """Tend what chargers leave undone; returns how many of each.

    1. Starts whose charger was never asked (45 s) or did not begin (three minutes) cost nothing.
    2. Stops without an end (two minutes) are asked for again, with growing pauses.
    3. A charge that would reach its spending limit before the charger could stop is stopped.
    4. One that gets no energy for twenty minutes is ended, free of charge.
    5. Connectors that were kept and not used are free again.

    What a charger does after all is still noted: a late session is stopped again, a late end is
    priced.
    """
    reached, idle = _to_end(at)
    return {
        "starts_failed": _each(
            _stuck(RechargeState.STARTING, at - rules.START_PATIENCE).filter(commands__gt=0),
            lambda row: fail_recharge(recharge=row, failure="no_answer", at=at, by=KEEPER),
        )
        + _each(
            _stuck(RechargeState.STARTING, at - rules.UNASKED_PATIENCE).filter(commands=0),
            lambda row: fail_recharge(recharge=row, failure="not_asked", at=at, by=KEEPER),
        ),
        "stops_given_up": _each(
            _stuck(RechargeState.STOPPING, at - rules.STOP_PATIENCE),
            lambda row: give_up_stop(recharge=row, reason="no_answer", at=at),
        ),
        "asked_again": _each(
            Recharge.objects.to_stop(at).select_related("session"),
            lambda row: stop_again(recharge=row, at=at),
        ),
        "limits_reached": _each(
            reached,
            lambda row: wish_stop(recharge=row, reason=StopReason.LIMIT, at=at, by=KEEPER),
        ),
        "got_nothing": _each(
            idle,
            lambda row: wish_stop(recharge=row, reason=StopReason.NO_ENERGY, at=at, by=KEEPER),
        ),
        "kept_expired": _each(
            KeptConnector.objects.over_by(at).select_related("hold", "connector__evse"),
            lambda kept: expire_kept(kept=kept, at=at),
        ),
    }


def _to_end(at: datetime.datetime) -> tuple[list[Recharge], list[Recharge]]:
    """Of the charges under way that nobody stops yet: those at their limit, those that get nothing."""
    reached, idle = [], []
    for recharge in Recharge.objects.flowing().filter(stop_due_at__isnull=True):
        # Only sessions of flowing recharges are here; this narrows the type.
        assert recharge.session is not None
        if recharge.session.state not in SESSION_OPEN:
            continue
        try:
            if _reaches_limit(recharge, at=at):
                reached.append(recharge)
            elif _gets_nothing(recharge, at=at):
                idle.append(recharge)
        except Exception:
            # Prices that cannot be read: its limit holds when it is priced; the others go on.
            log.exception("bookings.recharge_not_judged", row=str(recharge.pk))
    return reached, idle


def _reaches_limit(recharge: Recharge, *, at: datetime.datetime) -> bool:
    figures = live_figures(recharge.session)
    if figures is None or not recharge.limit_cents:
        return False
    cents = rules.cost_ahead_cents(prices=read_prices(recharge.terms), figures=figures, at=at)
    return cents >= recharge.limit_cents


def _gets_nothing(recharge: Recharge, *, at: datetime.datetime) -> bool:
    session = recharge.session
    if session is None or session.started_at is None:
        return False
    waited = at - session.started_at >= rules.NO_ENERGY_PATIENCE
    return waited and delivered_nothing(session.energy_wh)


def _stuck(state: RechargeState, since: datetime.datetime) -> models.QuerySet[Recharge]:
    waiting = Recharge.objects.waiting(state, since=since).with_story()
    return waiting.order_by("waiting_since", "id")


def _each(rows: Iterable[Row], heal: Callable[[Row], object]) -> int:
    """Heal one by one; returns how many."""
    healed = sweeps.each_alone(
        islice(rows, LIMIT), heal, event="bookings.recharge_not_healed", named=lambda row: row.pk
    )
    return sum(1 for _answer in healed)
