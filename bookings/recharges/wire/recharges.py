"""The shapes of recharges in the API."""

import datetime
from typing import Any

from rest_framework import serializers

from bookings.recharges import rules
from bookings.recharges.models import Recharge
from bookings.recharges.queries import cost_so_far
from bookings.recharges.states import Origin, RechargeState
from charging.stations.models import Connector
from mobility.core.texts import pick


class BuySerializer(serializers.Serializer[Any]):
    """Where to charge, and for how much at most."""

    connector = serializers.UUIDField()
    limit_cents = serializers.IntegerField(
        required=False,
        min_value=rules.LEAST_LIMIT_CENTS,
        max_value=rules.MOST_LIMIT_CENTS,
        help_text="Never charged more; promised on the card. Without it 20 €, at fast chargers 40 €.",
    )
    payment_method = serializers.UUIDField(
        required=False, help_text="A card on file; without it the default one."
    )


class RechargeConnectorSerializer(serializers.Serializer[Any]):
    """The connector of a recharge."""

    id = serializers.UUIDField()
    station = serializers.CharField()
    evse = serializers.IntegerField()
    site = serializers.CharField()
    address = serializers.CharField()
    lat = serializers.FloatField()
    lon = serializers.FloatField()
    standard = serializers.CharField()
    max_power_w = serializers.IntegerField()
    status = serializers.CharField()


class TermsSerializer(serializers.Serializer[Any]):
    """The prices as the charger's tariff states them, in cents, VAT included."""

    tariff_version = serializers.CharField(required=False)
    currency = serializers.CharField()
    components = serializers.ListField(child=serializers.DictField())


class RechargeSerializer(serializers.Serializer[Any]):
    """A bought charge; cents are gross. `preauth_cents` is promised on the card until the end."""

    id = serializers.UUIDField()
    state = serializers.ChoiceField(choices=RechargeState.choices)
    origin = serializers.ChoiceField(choices=Origin.choices)
    connector = RechargeConnectorSerializer()
    terms = TermsSerializer()
    preauth_cents = serializers.IntegerField()
    limit_cents = serializers.IntegerField(allow_null=True)
    requested_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    energy_wh = serializers.IntegerField()
    power_w = serializers.IntegerField(allow_null=True)
    soc_pct = serializers.IntegerField(allow_null=True)
    idle_since = serializers.DateTimeField(
        allow_null=True, help_text="Since when the car takes no energy, where an idle fee may run."
    )
    cost_so_far_cents = serializers.IntegerField()
    price_cents = serializers.IntegerField(allow_null=True)
    currency = serializers.CharField()
    stop_reason = serializers.CharField(
        help_text="person, limit, no_energy or called_off; empty while nobody wants it to stop."
    )
    stop_refused = serializers.BooleanField(
        help_text="The charger did not stop when asked; it is asked again and earns nothing more."
    )
    failure = serializers.CharField()


def connector_body(connector: Connector) -> dict[str, Any]:
    """A connector (loaded with its station and site)."""
    station = connector.evse.station
    return {
        "id": connector.public_id,
        "station": station.identity,
        "evse": connector.evse.number,
        "site": pick(station.site.name),
        "address": station.site.address,
        "lat": station.site.location.y,
        "lon": station.site.location.x,
        "standard": connector.standard,
        "max_power_w": connector.max_power_w,
        "status": connector.status,
    }


def recharge_body(recharge: Recharge, *, at: datetime.datetime) -> dict[str, Any]:
    """A recharge (loaded with its story) as its buyer sees it at `at`."""
    session = recharge.session
    live_wh = session.energy_wh if session else 0
    return {
        "id": recharge.public_id,
        "state": recharge.state,
        "origin": recharge.origin,
        "connector": connector_body(recharge.connector),
        "terms": recharge.terms,
        "preauth_cents": recharge.payment.authorised_cents if recharge.payment else 0,
        "limit_cents": recharge.limit_cents or None,
        "requested_at": recharge.requested_at,
        "started_at": recharge.started_at,
        "ended_at": recharge.ended_at,
        "energy_wh": live_wh if recharge.energy_wh is None else recharge.energy_wh,
        "power_w": session.power_w if session else None,
        "soc_pct": session.soc_pct if session else None,
        "idle_since": _idle_since(recharge),
        "cost_so_far_cents": cost_so_far(recharge=recharge, at=at),
        "price_cents": recharge.price_cents,
        "currency": recharge.terms.get("currency", "EUR"),
        "stop_reason": recharge.stop_reason,
        "stop_refused": recharge.stop_refused,
        "failure": recharge.failure,
    }


def _idle_since(recharge: Recharge) -> datetime.datetime | None:
    """When the car last took energy, once it takes none any more; the idle fee counts from there."""
    session = recharge.session
    if session is None or session.ended_at or session.power_w:
        return None
    return session.charged_until
