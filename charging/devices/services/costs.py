"""What charging costs, on the displays of stations: before a charge, while it runs, and in the end.

2.x stations hear a price in the answer to a card and costs in the answers to their messages. 1.6 has
no words for either; stations that say `CustomDisplayCostAndPrice` understand OCA's messages for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.db.models.fields.json import KT

from charging.devices import queries
from charging.sessions.facts import AuthorizationAsk, AuthorizationVerdict, PriceTold
from charging.sessions.models import ChargingSession
from charging.sessions.queries import driver_languages
from charging.sessions.services import RunningCosts, bill_words, prices_at
from charging.stations.models import StationCommand
from charging.stations.services import queue_command
from charging.stations.states import CommandAction, CommandState
from mobility.core import ids
from mobility.core.principals import system_principal

_TELLER: Final = system_principal("costs")
_TTL_S: Final = 30
_DRIVER_IS_THERE: Final = timedelta(minutes=20)
_SUSPENDED: Final = frozenset({"SuspendedEV", "SuspendedEVSE", "Finishing"})


def tell_prices(
    *,
    asks: Sequence[AuthorizationAsk],
    verdicts: Sequence[AuthorizationVerdict],
    at: datetime,
) -> list[AuthorizationVerdict]:
    """The verdicts with the price for stations that show it; 1.6 stations hear it right after.

    In the language of the token's owner, else the city's. In the caller's transaction.
    """
    told = list(verdicts)
    asked = [ask for ask, verdict in zip(asks, verdicts, strict=True) if verdict.accepted]
    showing = queries.showing_prices(
        station_ids={ask.station_id for ask in asked if ask.price is PriceTold.WITH_ANSWER}
    ) | queries.showing_costs(
        station_ids={ask.station_id for ask in asked if ask.price is PriceTold.AFTERWARDS}
    )
    if not showing:
        return told
    prices = prices_at(station_ids=showing, at=at)
    languages = driver_languages(uids=[ask.uid for ask in asked if ask.station_id in prices])
    for number, ask in enumerate(asks):
        if not verdicts[number].accepted or ask.station_id not in prices:
            continue
        words = prices[ask.station_id]
        language = languages.get(ask.uid, settings.LANGUAGE_CODE)
        if ask.price is PriceTold.AFTERWARDS:
            _ask(
                ask.station_id,
                CommandAction.SHOW_PRICE,
                at=at,
                token_uid=ask.uid,
                words=words,
                language=language,
            )
        elif ask.price is PriceTold.WITH_ANSWER:
            told[number] = replace(told[number], price=words[language], language=language)
    return told


@transaction.atomic
def tell_running_costs(*, every: timedelta, at: datetime, limit: int = 500) -> int:
    """Let 1.6 stations show what charges cost by now, each at most `every` so often; how many were told.

    A cost that is what was told last is not told again, and a station that refused one since its
    last boot is left alone. Those that were told longest ago come first.
    """
    running = list(_running(every=every, at=at)[:limit])
    costs = RunningCosts(running)
    told = 0
    for session in running:
        euros = (costs.of(session, until=at) or 0) / 100
        if euros != session.last_told:
            _show_running(session, euros=euros, at=at)
            told += 1
    ChargingSession.objects.filter(pk__in=[row.pk for row in running]).update(cost_told_at=at)
    return told


@transaction.atomic
def tell_final_cost(*, session_id: str, at: datetime) -> bool:
    """Let the 1.6 station of a priced session (by its public id) show its bill; whether it was told.

    Only while its driver may stand there: not after an outage, nor for a correction of last week.
    """
    session = ChargingSession.objects.select_related("station").get(public_id=session_id)
    if session.station.ocpp_version != "ocpp1.6" or session.price_cents is None:
        return False
    if session.ended_at is None or session.ended_at < at - _DRIVER_IS_THERE:
        return False
    languages = driver_languages(uids=[session.token_uid])
    _ask(
        session.station_id,
        CommandAction.FINAL_COST,
        at=at,
        transaction_ref=session.transaction_ref,
        total_cost=session.price_cents / 100,
        words=bill_words(session),
        language=languages.get(session.token_uid, settings.LANGUAGE_CODE),
    )
    return True


def _running(*, every: timedelta, at: datetime) -> QuerySet[Any]:
    """Priced sessions of connected 1.6 stations that show costs, with what was told last."""
    told = StationCommand.objects.filter(
        station=OuterRef("station"), action=CommandAction.COST_UPDATED
    ).order_by("-id")
    refused = told.filter(queued_at__gte=OuterRef("station__booted_at")).values("state")[:1]
    mine = told.annotate(ref=KT("payload__transaction_ref")).filter(ref=OuterRef("transaction_ref"))
    due = Q(cost_told_at__isnull=True) | Q(cost_told_at__lte=at - every)
    return (
        ChargingSession.objects.open()
        .filter(
            due,
            station__in=queries.showing_costs(),
            station__ocpp_version="ocpp1.6",
            station__connected_at__isnull=False,
            tariff_version__isnull=False,
        )
        .annotate(
            last_word=Subquery(refused), last_told=Subquery(mine.values("payload__total_cost")[:1])
        )
        .exclude(last_word__isnull=False, last_word=CommandState.REJECTED)
        .select_related("tariff_version", "connector", "station__site")
        .order_by(F("cost_told_at").asc(nulls_first=True), "pk")
    )


def _show_running(session: ChargingSession, *, euros: float, at: datetime) -> None:
    # Asked for are only sessions with a version; this narrows the type.
    assert session.tariff_version is not None
    prices = session.tariff_version.prices(time_zone=session.station.site.time_zone)
    plug = session.connector.status_detail if session.connector else ""
    _ask(
        session.station_id,
        CommandAction.COST_UPDATED,
        at=at,
        transaction_ref=session.transaction_ref,
        total_cost=euros,
        meter_wh=session.last_register_wh or session.meter_start_wh or 0,
        idle=plug in _SUSPENDED,
        told_at=at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        terms=prices.as_json(),
    )


def _ask(station_id: int, action: CommandAction, *, at: datetime, **payload: Any) -> None:
    queue_command(
        station_id=station_id,
        action=action,
        payload=payload,
        idempotency_key=f"cost:{ids.uuid7()}",
        ttl_s=_TTL_S,
        at=at,
        by=_TELLER,
    )
