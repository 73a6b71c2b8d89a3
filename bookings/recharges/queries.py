"""Reads around a recharge: the connector, its prices, and what the charge costs so far."""

import datetime
import uuid
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from bookings.recharges import rules
from bookings.recharges.models import ConnectorCode, KeptConnector, Recharge, VehicleCharge
from bookings.reservations.models import Booking
from charging.sessions.models import ChargingSession
from charging.sessions.states import SessionState
from charging.stations.models import Connector, ConnectorHold
from charging.stations.states import ConnectorStatus
from charging.tariffs.models import TariffVersion
from charging.tariffs.queries import version_for_connector
from charging.tariffs.rules import (
    UNITS,
    PriceComponent,
    SessionFigures,
    component_words,
    price_session,
    price_words,
    read_prices,
)
from charging.tariffs.states import ComponentKind
from mobility.accounts.models import User
from mobility.core import ids
from mobility.core.errors import Conflict, NotFound
from mobility.core.money import total_cents

UNUSABLE = frozenset({ConnectorStatus.FAULTED, ConnectorStatus.UNAVAILABLE})
# What an estimate is made for when nobody said how much.
USUAL_WH = 10_000


class CodeNotFound(NotFound):
    """No connector has this code, or has it no longer."""

    code = "charging_code_not_found"
    message = _("This code is not valid any more. Please scan the code at the charger again.")


class NoChargingPrice(Conflict):
    """Nobody charges at a price that nobody knows."""

    code = "no_price"
    message = _("There is no published price for this charger. Please choose another one.")


class PassNotFound(NotFound):
    """No charge belongs to this link."""

    code = "recharge_not_found"
    message = _("We know no charge under this link.")


class ConnectorNotFound(NotFound):
    """No connector has this id."""

    code = "connector_not_found"
    message = _("There is no such connector.")


def connector_by_id(*, public_id: uuid.UUID) -> Connector:
    """The connector with its station and site; raises `ConnectorNotFound`."""
    connector = (
        Connector.objects.select_related("evse__station__site__organisation")
        .filter(public_id=public_id)
        .first()
    )
    if connector is None:
        raise ConnectorNotFound
    return connector


def terms_of(version: TariffVersion, *, time_zone: str) -> dict[str, Any]:
    """The prices a person is shown before charging, as the tariff states them: gross cents.

    Prices by the time of day go by the site's `time_zone`.
    """
    return {
        "tariff_version": str(version.public_id),
        "currency": version.tariff.currency,
        "components": version.components,
        "min_cents": version.min_cents,
        "max_cents": version.max_cents,
        "time_zone": time_zone,
    }


def cost_so_far(*, recharge: Recharge, at: datetime.datetime) -> int:
    """Cents the charge costs by its live figures and the prices it was quoted, or its final price."""
    if recharge.price_cents is not None:
        return recharge.price_cents
    figures = live_figures(recharge.session)
    if figures is None:
        return 0
    prices = read_prices(recharge.terms)
    cents = rules.live_cost_cents(prices=prices, figures=figures, at=at)
    return min(cents, recharge.limit_cents) if recharge.limit_cents else cents


def live_figures(session: ChargingSession | None) -> rules.LiveFigures | None:
    """What the charger last said of the session; `None` before it has begun."""
    if session is None or session.started_at is None:
        return None
    heard_at = session.last_register_at or session.started_at
    average_w = rules.average_w(
        energy_wh=session.energy_wh, seconds=(heard_at - session.started_at).total_seconds()
    )
    return rules.LiveFigures(
        started_at=session.started_at,
        heard_at=heard_at,
        energy_wh=session.energy_wh,
        # Not every meter tells its power; what has flowed so far then says what will.
        power_w=average_w if session.power_w is None else session.power_w,
        charged_until=session.charged_until,
        ended_at=session.ended_at,
    )


def offer(
    *,
    connector: Connector,
    at: datetime.datetime,
    energy_wh: int | None = None,
    minutes: int | None = None,
    user_id: int | None = None,
) -> dict[str, Any]:
    """All that somebody at a connector is told before they charge; raises `NoChargingPrice`."""
    version = version_for_connector(connector_id=connector.pk, at=at)
    if version is None:
        raise NoChargingPrice
    status = why_unusable(connector=connector, at=at, user_id=user_id)
    return {
        **quote(connector=connector, version=version, energy_wh=energy_wh, minutes=minutes, at=at),
        "connector": connector,
        "preauth_release": _(
            "What the charge does not cost is released at its end; your bank may take some days"
            " to show it."
        ),
        "usable": not status,
        "connector_status": status,
    }


def quote(
    *,
    connector: Connector,
    version: TariffVersion,
    energy_wh: int | None,
    minutes: int | None,
    at: datetime.datetime,
) -> dict[str, Any]:
    """What charging there costs, said before: prices, an estimate, and what is promised on the card.

    Of energy (Wh) and minutes the one not told follows from the connector's power; without both it
    is ten kilowatt-hours. Cents are gross. The estimate is that of a charge that begins now.
    """
    prices = version.prices(time_zone=connector.evse.station.site.time_zone)
    energy_wh, minutes = _estimated(connector, energy_wh=energy_wh, minutes=minutes)
    end = at + datetime.timedelta(minutes=minutes)
    figures = SessionFigures(started_at=at, ended_at=end, energy_wh=energy_wh)
    lines = price_session(prices=prices, figures=figures)
    idle = prices.of_kind(ComponentKind.IDLE)
    currency = version.tariff.currency
    return {
        "tariff_version": str(version.public_id),
        "currency": currency,
        "prices": [
            _price(part, currency=currency)
            for kind in rules.SHOWN_FIRST
            for part in prices.of_kind(kind)
        ],
        "words": price_words(prices, currency=currency),
        "min_cents": prices.min_cents,
        "max_cents": prices.max_cents,
        "idle_fee_after_minutes": float(min(part.free_units for part in idle)) if idle else None,
        "estimate": {
            "energy_wh": energy_wh,
            "minutes": minutes,
            "cents": total_cents(lines),
            "lines": [line.as_json() for line in lines],
        },
        "preauth_cents": rules.preauth_cents(fast=connector.is_fast),
        "least_limit_cents": rules.LEAST_LIMIT_CENTS,
        "most_limit_cents": rules.MOST_LIMIT_CENTS,
    }


def _estimated(
    connector: Connector, *, energy_wh: int | None, minutes: int | None
) -> tuple[int, int]:
    if energy_wh is None:
        told = minutes is not None
        energy_wh = connector.max_power_w * (minutes or 0) // 60 if told else USUAL_WH
    if minutes is None:
        minutes = -(-energy_wh * 60 // max(connector.max_power_w, 1))
    return energy_wh, minutes


def _price(part: PriceComponent, *, currency: str) -> dict[str, Any]:
    return {
        "kind": part.kind,
        "unit": UNITS[ComponentKind(part.kind)],
        "unit_cents": str(part.unit_cents),
        "free_units": str(part.free_units),
        "cap_cents": part.cap_cents,
        "vat_rate": str(part.vat_rate),
        "step": part.step,
        "when": part.when.as_json(),
        "words": component_words(part, currency=currency),
    }


def connector_by_code(*, code: str, at: datetime.datetime) -> Connector:
    """The connector whose sticker says `code`; raises `CodeNotFound`."""
    found = (
        ConnectorCode.objects.valid_at(at)
        .select_related("connector__evse__station__site__organisation")
        .filter(code=code.strip().upper())
        .first()
    )
    if found is None:
        raise CodeNotFound
    return found.connector


def recharge_by_secret(*, secret: str) -> Recharge:
    """The charge that this key opens; raises `PassNotFound`, whatever is wrong with the key."""
    recharge = (
        Recharge.objects.with_story()
        .select_related("guest_pass")
        .filter(guest_pass__secret_hash=ids.hash_secret(secret))
        .first()
    )
    if recharge is None:
        raise PassNotFound
    return recharge


def why_unusable(*, connector: Connector, at: datetime.datetime, user_id: int | None = None) -> str:
    """What keeps this person from charging there now, as OCPP's status word; empty for nothing."""
    station = connector.evse.station
    if station.connected_at is None:
        return ConnectorStatus.UNKNOWN
    if connector.status in UNUSABLE:
        return connector.status
    begun = Recharge.objects.active().filter(connector=connector).exclude(user=user_id)
    if begun.exists() or ChargingSession.objects.open().filter(connector=connector).exists():
        return ConnectorStatus.OCCUPIED
    if _kept_for_another(connector, at=at, user_id=user_id):
        return ConnectorStatus.RESERVED
    return ""


def _kept_for_another(connector: Connector, *, at: datetime.datetime, user_id: int | None) -> bool:
    """A hold counts until it is released, whoever wrote it: bookings of cars hold connectors too."""
    held = ConnectorHold.objects.filter(
        connector=connector, released_at__isnull=True, during__contains=at
    )
    mine = KeptConnector.objects.filter(hold=OuterRef("pk"), user=user_id)
    booked = Booking.objects.filter(connector_hold=OuterRef("pk"), user=user_id)
    return held.exclude(Exists(mine)).exclude(Exists(booked)).exists()


def unbilled_sessions(*, user: User) -> QuerySet[ChargingSession]:
    """Settled sessions at one's own chargers that have a price and nobody who pays it."""
    bought = Recharge.objects.filter(session=OuterRef("pk"), price_cents__isnull=False)
    borne = VehicleCharge.objects.filter(session=OuterRef("pk"))
    return (
        ChargingSession.objects.visible_to(user)
        .filter(state=SessionState.SETTLED, price_cents__gt=0)
        .exclude(Exists(bought))
        .exclude(Exists(borne))
        .select_related("station", "connector")
        .order_by("-id")
    )
