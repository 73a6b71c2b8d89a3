"""Charging places as the public sees them: where, how fast, free or not, and what it costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from charging.stations.models import ChargingStation, Connector, Site
from charging.stations.states import ConnectorStatus
from charging.tariffs.models import Tariff, TariffVersion
from charging.tariffs.rules import HOME_ZONE, price_summary, price_words
from mobility.core.texts import pick


class NearQuery(serializers.Serializer[Any]):
    """Around which point, and how far."""

    lat = serializers.FloatField(min_value=-90, max_value=90)
    lon = serializers.FloatField(min_value=-180, max_value=180)
    radius_m = serializers.FloatField(min_value=1, max_value=20_000, default=2_000)
    limit = serializers.IntegerField(min_value=1, max_value=200, default=100)


class PriceOut(serializers.Serializer[Any]):
    """A tariff in gross cents: what counts for who begins now, all its components, and its words.

    Of every kind the first component counts whose `when` is met (OCPI 2.2.1): `start_time` and
    `end_time` by the clock of the site, `min_kwh`, `max_power` and so on.
    """

    tariff = serializers.CharField()
    currency = serializers.CharField()
    session_cents = serializers.FloatField()
    kwh_cents = serializers.FloatField()
    minute_cents = serializers.FloatField()
    idle_minute_cents = serializers.FloatField()
    components = serializers.ListField(child=serializers.DictField())
    min_cents = serializers.IntegerField(allow_null=True)
    max_cents = serializers.IntegerField(allow_null=True)
    words = serializers.ListField(child=serializers.CharField())


class ConnectorOut(serializers.Serializer[Any]):
    """A connector; `status` is in OCPP 2.0.1's words, Unknown while the station is offline."""

    id = serializers.UUIDField()
    evse = serializers.IntegerField()
    number = serializers.IntegerField()
    standard = serializers.CharField()
    format = serializers.CharField()
    power_type = serializers.CharField()
    max_power_w = serializers.IntegerField()
    status = serializers.ChoiceField(choices=ConnectorStatus.choices)
    status_at = serializers.DateTimeField(allow_null=True)
    price = PriceOut(allow_null=True)


class StationOut(serializers.Serializer[Any]):
    """A charger with its connectors."""

    id = serializers.UUIDField()
    identity = serializers.CharField()
    online = serializers.BooleanField()
    connectors = ConnectorOut(many=True)


class SiteOut(serializers.Serializer[Any]):
    """A charging place."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    operator = serializers.CharField()
    address = serializers.CharField()
    lat = serializers.FloatField()
    lon = serializers.FloatField()
    distance_m = serializers.SerializerMethodField()
    available = serializers.IntegerField()
    stations = StationOut(many=True)

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_distance_m(self, data: Mapping[str, Any]) -> int | None:
        """Metres from the point asked for."""
        return data.get("distance_m")


class VersionOut(serializers.ModelSerializer[TariffVersion]):
    """A version: its components in the order in which they are asked, its limits, its words."""

    id = serializers.UUIDField(source="public_id")
    valid_from = serializers.DateTimeField(source="valid.lower")
    valid_until = serializers.DateTimeField(source="valid.upper", allow_null=True)
    words = serializers.SerializerMethodField()

    class Meta:
        model = TariffVersion
        fields = (
            "id", "number", "state", "valid_from", "valid_until", "components", "min_cents",
            "max_cents", "published_at", "words",
        )  # fmt: skip

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_words(self, version: TariffVersion) -> list[str]:
        """What a driver is told."""
        prices = version.prices(time_zone=HOME_ZONE)
        return price_words(prices, currency=version.tariff.currency)


class TariffOut(serializers.ModelSerializer[Tariff]):
    """A named price list of an operator, with all its versions."""

    id = serializers.UUIDField(source="public_id")
    versions = VersionOut(many=True)

    class Meta:
        model = Tariff
        fields = ("id", "code", "name", "currency", "is_default", "versions")


class TariffIn(serializers.Serializer[Any]):
    """A tariff to be named; `organisation` (its slug) where one operates for several."""

    code = serializers.SlugField(max_length=40)
    name = serializers.DictField(child=serializers.CharField(max_length=200), allow_empty=False)
    is_default = serializers.BooleanField(default=False)
    organisation = serializers.SlugField(required=False)


class VersionIn(serializers.Serializer[Any]):
    """A draft; docs/charging.md says what components hold. Limits are gross cents a charge."""

    components = serializers.ListField(child=serializers.DictField(), max_length=100)
    valid_from = serializers.DateTimeField()
    valid_until = serializers.DateTimeField(required=False, allow_null=True)
    min_cents = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=10**6
    )
    max_cents = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=10**6
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """An end after the beginning."""
        end = attrs.get("valid_until")
        if end is not None and end <= attrs["valid_from"]:
            raise serializers.ValidationError({"valid_until": _("This ends before it begins.")})
        return attrs


class NumberIn(serializers.Serializer[Any]):
    """Which draft."""

    number = serializers.IntegerField(min_value=1, max_value=10**6)


def connectors_of(sites: Iterable[Site]) -> list[Connector]:
    """All connectors of sites whose stations are loaded; no query."""
    return [
        connector
        for site in sites
        for station in site.stations.all()
        for evse in station.evses.all()
        for connector in evse.connectors.all()
    ]


def site_data(
    site: Site,
    *,
    versions: Mapping[int, TariffVersion],
    held: set[int],
    at: datetime,
) -> dict[str, Any]:
    """A loaded site as `SiteOut` shows it; no query."""
    stations = [
        _station_data(station, site=site, versions=versions, held=held, at=at)
        for station in site.stations.all()
    ]
    distance = getattr(site, "distance", None)
    return {
        "id": site.public_id,
        "name": pick(site.name),
        "operator": pick(site.organisation.name),
        "address": site.address,
        "lat": site.location.y,
        "lon": site.location.x,
        "distance_m": None if distance is None else round(distance.m),
        "available": sum(
            connector["status"] == ConnectorStatus.AVAILABLE
            for station in stations
            for connector in station["connectors"]
        ),
        "stations": stations,
    }


def _station_data(
    station: ChargingStation,
    *,
    site: Site,
    versions: Mapping[int, TariffVersion],
    held: set[int],
    at: datetime,
) -> dict[str, Any]:
    online = station.is_online(at=at)
    return {
        "id": station.public_id,
        "identity": station.identity,
        "online": online,
        "connectors": [
            {
                "id": connector.public_id,
                "evse": evse.number,
                "number": connector.number,
                "standard": connector.standard,
                "format": connector.format,
                "power_type": connector.power_type,
                "max_power_w": connector.max_power_w,
                "status": _shown_status(connector, online=online, held=connector.pk in held),
                "status_at": connector.status_at,
                "price": _price(versions.get(connector.pk), time_zone=site.time_zone, at=at),
            }
            for evse in station.evses.all()
            for connector in evse.connectors.all()
        ],
    }


def _shown_status(connector: Connector, *, online: bool, held: bool) -> str:
    """What stood there before the line broke may be long untrue."""
    if not online:
        return ConnectorStatus.UNKNOWN
    if held and connector.status == ConnectorStatus.AVAILABLE:
        return ConnectorStatus.RESERVED
    return connector.status


def _price(version: TariffVersion | None, *, time_zone: str, at: datetime) -> dict[str, Any] | None:
    if version is None:
        return None
    prices = version.prices(time_zone=time_zone)
    return {
        "tariff": pick(version.tariff.name),
        "currency": version.tariff.currency,
        **price_summary(prices, at=at),
        "words": price_words(prices, currency=version.tariff.currency),
    }
