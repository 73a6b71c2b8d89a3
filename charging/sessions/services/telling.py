"""Prices that are told to stations: the tariff before a charge, the cost while it runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import formats, translation
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from charging.sessions.models import ChargingSession
from charging.sessions.services.pricing import RunningCosts
from charging.stations.models import Connector, StationCommand
from charging.stations.services import NoSuchConnector, queue_command
from charging.stations.states import CommandAction, CommandState
from charging.tariffs.models import TariffVersion
from charging.tariffs.queries import version_for_connector, versions_for_connectors
from charging.tariffs.rules import price_words
from charging.tariffs.texts import line_name
from mobility.core import ids
from mobility.core.errors import Conflict
from mobility.core.money import format_money
from mobility.core.principals import Principal, system_principal

_TELLER: Final = system_principal("costs")
LANGUAGES: Final = ("it", "en")
# A station that heard of a session so lately had the cost in the answer.
_COST_TTL_S: Final = 30
_LOOKED_AT: Final = Coalesce(F("cost_told_at"), F("heard_at"))


class NoTariffToTell(Conflict):
    """The connector has no published price."""

    code = "no_tariff_to_tell"
    message = _("This connector has no published tariff.")


@transaction.atomic
def tell_tariff(
    *, connector_id: int, idempotency_key: str, at: datetime, by: Principal
) -> StationCommand:
    """Give a station the tariff of an EVSE, to show and to reckon with (OCPP 2.1).

    The command fails where the station speaks an older version, or where OCPP has no words for the
    tariff. Raises NoSuchConnector, NoTariffToTell.
    """
    connector = (
        Connector.objects.select_related("evse__station__site").filter(pk=connector_id).first()
    )
    if connector is None:
        raise NoSuchConnector
    version = version_for_connector(connector_id=connector.pk, at=at)
    if version is None:
        raise NoTariffToTell
    terms = told_terms(version, time_zone=connector.evse.station.site.time_zone)
    return queue_command(
        station_id=connector.evse.station_id,
        action=CommandAction.SET_DEFAULT_TARIFF,
        payload={"evse_number": connector.evse.number, "terms": terms},
        idempotency_key=idempotency_key,
        at=at,
        by=by,
    )


def told_terms(version: TariffVersion, *, time_zone: str) -> dict[str, Any]:
    """A version's price list with its id, currency, and what it says in every language."""
    prices = version.prices(time_zone=time_zone)
    words = {
        language: _words(version, time_zone=time_zone, language=language) for language in LANGUAGES
    }
    return {
        **prices.as_json(),
        "tariff_id": str(version.public_id),
        "currency": version.tariff.currency,
        "words": words,
    }


def prices_at(*, station_ids: Collection[int], at: datetime) -> dict[int, dict[str, str]]:
    """What charging costs at stations: by station, and there by language.

    Before a card is shown nobody knows at which EVSE it will charge: a station whose connectors do
    not all cost the same, or some of which have no price, is left out.
    """
    zones = dict(
        Connector.objects.filter(evse__station_id__in=station_ids).values_list(
            "pk", "evse__station__site__time_zone"
        )
    )
    stations = Connector.objects.filter(pk__in=zones).values_list("evse__station_id", "pk")
    versions = versions_for_connectors(connector_ids=zones, at=at)
    found: defaultdict[int, dict[int | None, tuple[TariffVersion | None, str]]] = defaultdict(dict)
    for station_id, pk in stations:
        version = versions.get(pk)
        found[station_id][version.pk if version else None] = version, zones[pk]
    told = {pk: next(iter(prices.values())) for pk, prices in found.items() if len(prices) == 1}
    return {
        pk: {one: _words(version, time_zone=zone, language=one) for one in LANGUAGES}
        for pk, (version, zone) in told.items()
        if version is not None
    }


def bill_words(session: ChargingSession) -> dict[str, str]:
    """What a priced session has cost, in one line of each language."""
    return {language: _bill(session, language=language) for language in LANGUAGES}


def _bill(session: ChargingSession, *, language: str) -> str:
    with translation.override(language):
        energy = formats.number_format(session.energy_wh / 1000, decimal_pos=2, use_l10n=True)
        return " · ".join(
            [
                f"{energy} kWh",
                *(
                    f"{line_name(line['kind'])} {_amount(line['cents'], session)}"
                    for line in session.lines
                ),
                f"{_now('Total')} {_amount(session.price_cents or 0, session)}",
            ]
        )


def _amount(cents: int, session: ChargingSession) -> str:
    return format_money(cents, session.currency)


def _words(version: TariffVersion, *, time_zone: str, language: str) -> str:
    with translation.override(language):
        prices = version.prices(time_zone=time_zone)
        return " · ".join(price_words(prices, currency=version.tariff.currency))


@transaction.atomic
def tell_costs(*, every: timedelta, at: datetime, limit: int = 500) -> int:
    """Ask 2.x stations to show what running sessions cost by now; returns how many were asked.

    1. Only sessions of which nothing was heard for `every`: the answer to each of their messages
       said it already. Those that were not looked at for the longest time come first, so that
       none waits for ever behind `limit` others.
    2. A station that refused it since its last boot cannot show it, and is left alone.
    3. A cost that is what it was when it was last told is not told again: those that rise without
       a message are those of time.
    """
    quiet = list(_quiet(every=every, at=at).order_by(_LOOKED_AT, "pk")[:limit])
    costs = RunningCosts(quiet)
    asked = 0
    for session in quiet:
        cents = costs.of(session, until=at) or 0
        told = session.cost_told_at
        if told is None or cents != costs.of(session, until=max(told, session.heard_at)):
            _show_cost(session, cents=cents, at=at)
            asked += 1
    ChargingSession.objects.filter(pk__in=[row.pk for row in quiet]).update(cost_told_at=at)
    return asked


def _quiet(*, every: timedelta, at: datetime) -> QuerySet[ChargingSession]:
    """Priced sessions of connected 2.x stations that can show a cost, as far as they said."""
    shown = StationCommand.objects.filter(
        station=OuterRef("station"),
        action=CommandAction.COST_UPDATED,
        queued_at__gte=OuterRef("station__booted_at"),
    )
    return (
        ChargingSession.objects.open()
        .annotate(
            last_word=Coalesce(Subquery(shown.order_by("-id").values("state")[:1]), Value(""))
        )
        .filter(
            Q(cost_told_at__isnull=True) | Q(cost_told_at__lte=at - every),
            heard_at__lte=at - every,
            tariff_version__isnull=False,
            station__connected_at__isnull=False,
            station__ocpp_version__in=["ocpp2.0.1", "ocpp2.1"],
        )
        .exclude(last_word=CommandState.REJECTED)
        .select_related("tariff_version")
    )


def _show_cost(session: ChargingSession, *, cents: int, at: datetime) -> None:
    queue_command(
        station_id=session.station_id,
        action=CommandAction.COST_UPDATED,
        payload={"transaction_ref": session.transaction_ref, "total_cost": cents / 100},
        idempotency_key=f"cost:{ids.uuid7()}",
        ttl_s=_COST_TTL_S,
        at=at,
        by=_TELLER,
    )
