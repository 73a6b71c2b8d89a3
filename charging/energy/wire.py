"""Demands, site loads, profiles and limits as operators' programs see them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from charging.energy.models import ChargingLimit, ChargingProfile, EnergyDemand, SiteLoad
from charging.energy.rules import MOST_WH


class DemandOut(serializers.ModelSerializer[EnergyDemand]):
    """Energy wanted at a connector by a time, and how much of it came."""

    id = serializers.UUIDField(source="public_id")
    connector = serializers.UUIDField(source="connector.public_id")

    class Meta:
        model = EnergyDemand
        fields = (
            "id",
            "connector",
            "owner_ref",
            "energy_wh",
            "ready_by",
            "priority",
            "state",
            "delivered_wh",
            "created_at",
            "finished_at",
        )


class DemandIn(serializers.Serializer[Any]):
    """Energy in Wh at a connector by a time; priority 1 comes before 9."""

    connector = serializers.UUIDField()
    energy_wh = serializers.IntegerField(min_value=1, max_value=MOST_WH)
    ready_by = serializers.DateTimeField()
    priority = serializers.IntegerField(min_value=1, max_value=9, default=5)


class SiteLoadOut(serializers.ModelSerializer[SiteLoad]):
    """What a site may draw and how it is shared out now, in amperes per phase by connector id."""

    site = serializers.UUIDField(source="site.public_id")
    grid_limit_w = serializers.IntegerField(source="site.grid_limit_w", allow_null=True)
    plan = serializers.SerializerMethodField()

    class Meta:
        model = SiteLoad
        fields = ("site", "managed", "limit_a", "grid_limit_w", "plan", "planned_at")

    def get_plan(self, load: SiteLoad) -> dict[str, float]:
        """Connector → amperes per phase."""
        ids: dict[str, str] = self.context["connectors"]
        return {ids[pk]: current / 10 for pk, current in load.plan.items() if pk in ids}


class SiteLoadIn(serializers.Serializer[Any]):
    """Whether to share out what the site draws, and how many amperes per phase that is."""

    managed = serializers.BooleanField()
    limit_a = serializers.IntegerField(min_value=1, max_value=10_000, allow_null=True, default=None)


class ProfileOut(serializers.ModelSerializer[ChargingProfile]):
    """A charging profile of ours; limits in amperes per phase."""

    id = serializers.UUIDField(source="public_id")
    connector = serializers.UUIDField(source="connector.public_id")
    limit_a = serializers.SerializerMethodField()
    confirmed_a = serializers.SerializerMethodField()

    class Meta:
        model = ChargingProfile
        fields = (
            "id",
            "connector",
            "purpose",
            "stack_level",
            "transaction_ref",
            "state",
            "limit_a",
            "confirmed_a",
            "valid_to",
            "problem",
            "sent_at",
        )

    def get_limit_a(self, profile: ChargingProfile) -> float:
        """As last sent."""
        return profile.limit_da / 10

    def get_confirmed_a(self, profile: ChargingProfile) -> float | None:
        """As last taken by the station."""
        return None if profile.confirmed_da is None else profile.confirmed_da / 10


class LimitOut(serializers.ModelSerializer[ChargingLimit]):
    """A limit that somebody else put on a station."""

    id = serializers.UUIDField(source="public_id")
    station = serializers.UUIDField(source="station.public_id")

    class Meta:
        model = ChargingLimit
        fields = (
            "id",
            "station",
            "evse",
            "source",
            "grid_critical",
            "limit_da",
            "schedules",
            "since",
            "cleared_at",
        )
