"""Admin pages of telematics: devices and where they sit, and reports that were put aside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from fleet.telematics import services
from fleet.telematics.models import Device, DeviceAssignment, QuarantinedPoint
from fleet.vehicles.scoping import FLEET_STAFF
from mobility.accounts.scoped_admin import ScopedAdmin, ScopedInline
from mobility.accounts.states import Role
from mobility.core import clock

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


class AssignmentInline(ScopedInline):
    """The vehicles a device sat in."""

    model = DeviceAssignment
    viewers = FLEET_STAFF
    fields = ("vehicle", "during")


@admin.register(Device)
class DeviceAdmin(ScopedAdmin[Device]):
    """Devices; new ones come from `manage.py add_device`, which shows their secret once."""

    viewers = FLEET_STAFF
    editors = frozenset({Role.FLEET_OPERATOR})
    addable = False
    list_display = ("serial", "organisation", "created_at", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    list_select_related = ("organisation",)
    search_fields = ("serial", "assignments__vehicle__code")
    readonly_fields = ("organisation", "serial", "created_at", "revoked_at")
    inlines = (AssignmentInline,)
    actions = ("revoke",)

    @admin.action(description=_("Revoke"), permissions=["change"])
    def revoke(self, request: HttpRequest, devices: QuerySet[Device]) -> None:
        """Refuse these devices from now on."""
        person: Any = request.user
        for device in devices:
            services.revoke_device(device_id=device.pk, at=clock.now(), by=person.principal)


@admin.register(QuarantinedPoint)
class QuarantinedPointAdmin(ScopedAdmin[QuarantinedPoint]):
    """Reports that cannot be true."""

    viewers = FLEET_STAFF
    list_display = ("vehicle", "reason", "received_at", "lat_e7", "lon_e7", "at_us")
    list_filter = ("reason",)
    list_select_related = ("vehicle",)
    search_fields = ("vehicle__code",)
