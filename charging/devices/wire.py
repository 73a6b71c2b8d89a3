"""Variables, jobs, reports, events and lists as operators' programs see them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from charging.devices.models import (
    DeviceEvent,
    DeviceVariable,
    FirmwareJob,
    LocalList,
    LogJob,
    Report,
    VariableMonitor,
)
from charging.devices.services import report_items
from charging.devices.states import LogKind

_JOB = (
    "id",
    "station",
    "identity",
    "command",
    "state",
    "statuses",
    "asked_at",
    "heard_at",
    "finished_at",
)


class OfStationOut(serializers.ModelSerializer[Any]):
    """A row that hangs on a station."""

    station = serializers.UUIDField(source="station.public_id")
    identity = serializers.CharField(source="station.identity")


class VariableOut(OfStationOut):
    """A variable with the last value the station gave, and when."""

    class Meta:
        model = DeviceVariable
        fields = (
            "station",
            "identity",
            "component",
            "component_instance",
            "evse",
            "connector",
            "name",
            "instance",
            "attribute",
            "value",
            "mutability",
            "characteristics",
            "problem",
            "at",
        )


class MonitorOut(OfStationOut):
    """A limit that the station watches."""

    class Meta:
        model = VariableMonitor
        fields = (
            "station",
            "identity",
            "number",
            "component",
            "variable",
            "kind",
            "value",
            "severity",
            "only_in_transaction",
            "preset",
            "cleared_at",
            "at",
        )


class DeviceEventOut(OfStationOut):
    """Something the station noticed."""

    id = serializers.UUIDField(source="public_id")

    class Meta:
        model = DeviceEvent
        fields = (
            "id",
            "station",
            "identity",
            "number",
            "at",
            "trigger",
            "component",
            "variable",
            "actual_value",
            "cleared",
            "severity",
            "monitor_number",
            "cause",
            "notification",
            "transaction_ref",
            "tech_code",
            "tech_info",
        )


class JobOut(OfStationOut):
    """A job with everything the station said of it."""

    id = serializers.UUIDField(source="public_id")
    command = serializers.UUIDField(source="command.public_id", allow_null=True, default=None)


class FirmwareJobOut(JobOut):
    """An update of a station's firmware."""

    class Meta:
        model = FirmwareJob
        fields = (*_JOB, "location", "signed")


class LogJobOut(JobOut):
    """A log that was asked for; with `file` it can be read at /api/v1/files/{id}."""

    file = serializers.UUIDField(source="file.public_id", allow_null=True, default=None)

    class Meta:
        model = LogJob
        fields = (*_JOB, "kind", "file_name", "file")


class ReportRowOut(JobOut):
    """A report and whether all of it came."""

    class Meta:
        model = Report
        fields = (
            "id",
            "station",
            "identity",
            "command",
            "kind",
            "state",
            "parts_count",
            "missing",
            "asked_at",
            "finished_at",
        )


class ReportOut(ReportRowOut):
    """A report with its items in order, as far as they came."""

    items = serializers.SerializerMethodField()

    class Meta:
        model = Report
        fields = (*ReportRowOut.Meta.fields, "items")

    def get_items(self, report: Report) -> list[dict[str, Any]]:
        """As the station sent them."""
        return report_items(report=report)


class LocalListOut(OfStationOut):
    """A station's local list: what it holds under which version."""

    entries = serializers.DictField()

    class Meta:
        model = LocalList
        fields = (
            "station",
            "identity",
            "state",
            "managed",
            "version",
            "reported_version",
            "entries",
            "problem",
            "changed_at",
        )


class VariableIn(serializers.Serializer[Any]):
    """One variable; with a value it is to be changed. 1.6 keys have a name alone."""

    name = serializers.CharField(max_length=50)
    component = serializers.CharField(max_length=50, required=False)
    component_instance = serializers.CharField(max_length=50, required=False)
    evse = serializers.IntegerField(min_value=0, max_value=32_767, required=False)
    connector = serializers.IntegerField(min_value=0, max_value=32_767, required=False)
    instance = serializers.CharField(max_length=50, required=False)
    attribute = serializers.ChoiceField(
        choices=["Actual", "Target", "MinSet", "MaxSet"], required=False
    )
    value = serializers.CharField(max_length=2500, required=False, allow_blank=True)


class VariablesIn(serializers.Serializer[Any]):
    """Variables to read, or with values to change; none at all asks a 1.6 station for all keys."""

    variables = serializers.ListField(child=VariableIn(), allow_empty=True, max_length=500)

    def validate_variables(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """All to be read or all to be changed."""
        if len({"value" in row for row in rows}) > 1:
            raise serializers.ValidationError("Give all of them a value, or none.", code="mixed")
        return rows


class LogIn(serializers.Serializer[Any]):
    """Which log, of which span of time."""

    kind = serializers.ChoiceField(choices=LogKind.choices, default=LogKind.DIAGNOSTICS)
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)


class LocalListIn(serializers.Serializer[Any]):
    """What to do with a station's local list."""

    managed = serializers.BooleanField(required=False, allow_null=True, default=None)
    send = serializers.BooleanField(default=True)
    full = serializers.BooleanField(default=False)
