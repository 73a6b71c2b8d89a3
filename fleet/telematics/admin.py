"""Admin pages of telematics: reports that were put aside, alarms, crossings, tracks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from fleet.telematics.models import (
    Alarm,
    QuarantinedPoint,
    RetentionRun,
    SpeedLimitOrder,
    TripTrack,
    ZoneCrossing,
)
from fleet.telematics.services import alarms
from fleet.telematics.states import AlarmState
from fleet.vehicles.scoping import FLEET_STAFF
from mobility.accounts.scoped_admin import ScopedAdmin
from mobility.core import clock
from mobility.core.admin import ReadOnlyAdmin

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


@admin.register(QuarantinedPoint)
class QuarantinedPointAdmin(ScopedAdmin[QuarantinedPoint]):
    """Reports that cannot be true, or that belong to no vehicle."""

    viewers = FLEET_STAFF
    list_display = ("device", "vehicle", "reason", "received_at", "lat_e7", "lon_e7", "at_us")
    list_filter = ("reason",)
    list_select_related = ("vehicle", "device")
    search_fields = ("vehicle__code", "device__serial")


@admin.register(Alarm)
class AlarmAdmin(ScopedAdmin[Alarm]):
    """What is wrong with vehicles now, and what was."""

    viewers = FLEET_STAFF
    editors = FLEET_STAFF
    addable = False
    list_display = (
        "vehicle",
        "kind",
        "severity",
        "state",
        "opened_at",
        "last_seen_at",
        "count",
        "assigned_to",
    )
    list_filter = ("state", "kind", "severity", ("assigned_to", admin.EmptyFieldListFilter))
    list_select_related = ("vehicle", "assigned_to")
    search_fields = ("vehicle__code",)
    readonly_fields = (*list_display, "details", "closed_at", "closed_by")
    fields = readonly_fields
    actions = ("acknowledge", "close")

    @admin.action(description=_("Acknowledge"), permissions=["change"])
    def acknowledge(self, request: HttpRequest, rows: QuerySet[Alarm]) -> None:
        """Take care of these alarms."""
        person: Any = request.user
        for alarm in rows.exclude(state=AlarmState.CLOSED):
            alarms.acknowledge_alarm(
                alarm_id=alarm.pk, user_id=person.pk, at=clock.now(), by=person.principal
            )

    @admin.action(description=_("Close"), permissions=["change"])
    def close(self, request: HttpRequest, rows: QuerySet[Alarm]) -> None:
        """Say that these are over."""
        person: Any = request.user
        for alarm in rows.exclude(state=AlarmState.CLOSED):
            alarms.close_alarm(alarm_id=alarm.pk, at=clock.now(), by=person.principal)


@admin.register(SpeedLimitOrder)
class SpeedLimitOrderAdmin(ScopedAdmin[SpeedLimitOrder]):
    """Speed limits that vehicles were told, and what they answered."""

    viewers = FLEET_STAFF
    list_display = (
        "vehicle",
        "zone",
        "limit_kmh",
        "ordered_at",
        "applied_at",
        "released_at",
        "outcome",
    )
    list_filter = ("outcome",)
    list_select_related = ("vehicle", "zone")
    search_fields = ("vehicle__code", "zone__code")


@admin.register(ZoneCrossing)
class ZoneCrossingAdmin(ScopedAdmin[ZoneCrossing]):
    """Borders of zones that vehicles met."""

    viewers = FLEET_STAFF
    list_display = ("vehicle", "kind", "zone", "at", "on_trip")
    list_filter = ("kind", "on_trip")
    list_select_related = ("vehicle", "zone")
    search_fields = ("=vehicle__code",)


@admin.register(TripTrack)
class TripTrackAdmin(ScopedAdmin[TripTrack]):
    """How far trips went, as far as stored points tell; computed, never edited."""

    viewers = FLEET_STAFF
    list_display = ("trip_ref", "vehicle", "ended_at", "distance_m", "points", "version", "stale")
    list_filter = ("stale",)
    list_select_related = ("vehicle",)
    search_fields = ("trip_ref", "vehicle__code")


@admin.register(RetentionRun)
class RetentionRunAdmin(ReadOnlyAdmin):
    """What was packed away or removed, for the platform's administrator."""

    list_display = (
        "at",
        "kind",
        "subject",
        "counted",
        "verified",
        "removed",
        "bytes_before",
        "bytes_after",
    )
    list_filter = ("kind",)
    show_full_result_count = False
