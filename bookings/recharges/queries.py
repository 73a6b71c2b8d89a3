"""Reads around a recharge: the connector, its prices, and what the charge costs so far."""

import datetime
import uuid
from typing import Any

from django.utils.translation import gettext_lazy as _

from bookings.recharges.models import Recharge
from charging.sessions.rules import idle_seconds
from charging.stations.models import Connector
from charging.tariffs.models import TariffVersion
from charging.tariffs.rules import SessionFigures, price_session, read_components
from mobility.core.errors import NotFound
from mobility.core.money import total_cents


class ConnectorNotFound(NotFound):
    """No connector has this id."""

    code = "connector_not_found"
    message = _("There is no such connector.")


def connector_by_id(*, public_id: uuid.UUID) -> Connector:
    """The connector with its station and site; raises `ConnectorNotFound`."""
    connector = (
        Connector.objects.select_related("evse__station__site").filter(public_id=public_id).first()
    )
    if connector is None:
        raise ConnectorNotFound
    return connector


def terms_of(version: TariffVersion) -> dict[str, Any]:
    """The prices a person is shown before charging, as the tariff states them: gross cents."""
    return {
        "tariff_version": str(version.public_id),
        "currency": version.tariff.currency,
        "components": version.components,
    }


def cost_so_far(*, recharge: Recharge, at: datetime.datetime) -> int:
    """Cents the charge costs by its live figures and the prices it was quoted, or its final price."""
    if recharge.price_cents is not None:
        return recharge.price_cents
    session = recharge.session
    if session is None or session.started_at is None:
        return 0
    until = session.ended_at or at
    figures = SessionFigures(
        energy_wh=session.energy_wh,
        connected_s=max(int((until - session.started_at).total_seconds()), 0),
        idle_s=idle_seconds(
            started_at=session.started_at,
            ended_at=until,
            charging_ended_at=session.charged_until,
        ),
    )
    components = read_components(recharge.terms["components"])
    return total_cents(price_session(components=components, figures=figures))
