"""Admin pages of devices: what stations said, and the jobs they were given."""

from __future__ import annotations

from django.contrib import admin

from charging.devices.models import (
    BatterySwap,
    DeviceEvent,
    DeviceVariable,
    DisplayMessage,
    FirmwareJob,
    LocalList,
    LogJob,
    Overflow,
    Report,
    VariableMonitor,
)
from charging.stations.admin import OPERATORS
from mobility.accounts.scoped_admin import ReadOnly, ScopedAdmin


@admin.register(DeviceVariable)
class DeviceVariableAdmin(ReadOnly, ScopedAdmin[DeviceVariable]):
    """Variables and configuration keys with their last values."""

    viewers = OPERATORS
    list_display = ("station", "component", "name", "instance", "attribute", "value", "at")
    list_select_related = ("station",)
    search_fields = ("station__identity", "component", "name")
    ordering = ("station", "component", "name")


@admin.register(VariableMonitor)
class VariableMonitorAdmin(ReadOnly, ScopedAdmin[VariableMonitor]):
    """What stations watch."""

    viewers = OPERATORS
    list_display = ("station", "number", "kind", "value", "severity", "cleared_at", "at")
    list_select_related = ("station",)
    search_fields = ("station__identity",)


@admin.register(DeviceEvent)
class DeviceEventAdmin(ReadOnly, ScopedAdmin[DeviceEvent]):
    """What stations noticed."""

    viewers = OPERATORS
    list_display = ("at", "station", "component", "variable", "actual_value", "severity")
    list_filter = ("severity", "trigger")
    list_select_related = ("station",)
    search_fields = ("station__identity",)
    ordering = ("-id",)


@admin.register(FirmwareJob)
class FirmwareJobAdmin(ReadOnly, ScopedAdmin[FirmwareJob]):
    """Updates of firmware and how far they are."""

    viewers = OPERATORS
    list_display = ("asked_at", "station", "state", "signed", "location", "heard_at")
    list_filter = ("state", "signed")
    list_select_related = ("station",)
    search_fields = ("station__identity",)
    ordering = ("-id",)


@admin.register(LogJob)
class LogJobAdmin(ReadOnly, ScopedAdmin[LogJob]):
    """Logs that stations were asked for."""

    viewers = OPERATORS
    list_display = ("asked_at", "station", "kind", "state", "file_name", "heard_at")
    list_filter = ("state", "kind")
    list_select_related = ("station",)
    search_fields = ("station__identity",)
    exclude = ("upload_hash",)
    ordering = ("-id",)


@admin.register(Report)
class ReportAdmin(ReadOnly, ScopedAdmin[Report]):
    """Reports in parts and what of them is missing."""

    viewers = OPERATORS
    list_display = ("asked_at", "station", "kind", "state", "parts_count", "missing")
    list_filter = ("state", "kind")
    list_select_related = ("station",)
    search_fields = ("station__identity",)
    ordering = ("-id",)


@admin.register(LocalList)
class LocalListAdmin(ReadOnly, ScopedAdmin[LocalList]):
    """Which stations know which cards by themselves."""

    viewers = OPERATORS
    list_display = ("station", "state", "managed", "version", "problem", "changed_at")
    list_filter = ("state", "managed")
    list_select_related = ("station",)
    search_fields = ("station__identity",)


@admin.register(DisplayMessage)
class DisplayMessageAdmin(ReadOnly, ScopedAdmin[DisplayMessage]):
    """Messages on displays."""

    viewers = OPERATORS
    list_display = ("station", "number", "shown", "at")
    list_select_related = ("station",)
    search_fields = ("station__identity",)


@admin.register(Overflow)
class OverflowAdmin(ReadOnly, ScopedAdmin[Overflow]):
    """What was not kept, because stations told too much of it."""

    viewers = OPERATORS
    list_display = ("station", "kind", "times", "first_at", "last_at")
    list_filter = ("kind",)
    list_select_related = ("station",)
    search_fields = ("station__identity",)
    ordering = ("-last_at",)


@admin.register(BatterySwap)
class BatterySwapAdmin(ReadOnly, ScopedAdmin[BatterySwap]):
    """Batteries that went into stations and out of them."""

    viewers = OPERATORS
    list_display = ("received_at", "station", "number", "event")
    list_filter = ("event",)
    list_select_related = ("station",)
    search_fields = ("station__identity",)
    ordering = ("-id",)
