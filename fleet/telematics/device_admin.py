"""Admin pages of devices and of operators' backends: who speaks, for which vehicle, with which secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from fleet.telematics import services
from fleet.telematics.models import Device, DeviceAssignment, Integration
from fleet.telematics.services.credentials import announce_change
from fleet.telematics.states import Protocol
from fleet.telematics.teltonika.mapping import PROFILES
from fleet.vehicles.models import Vehicle
from fleet.vehicles.scoping import FLEET_STAFF
from fleet.vehicles.states import LifeState
from mobility.accounts.models import Organisation
from mobility.accounts.row_search import row_search
from mobility.accounts.scoped_admin import ScopedAdmin, ScopedInline, person_of
from mobility.accounts.states import OrganisationKind, Role
from mobility.core import clock
from mobility.core.errors import DomainError

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

OPERATORS = frozenset({Role.FLEET_OPERATOR})
NEW_DEVICE = ("vehicle", "protocol", "model", "imei")


class NewDeviceForm(forms.ModelForm[Device]):
    """A device to be: for which vehicle, and how it speaks."""

    class Meta:
        model = Device
        fields = ("protocol", "model", "imei")
        help_texts: ClassVar = {
            # Put together only when shown: the reader's language is not known before.
            "model": format_lazy("{} {}", _("Teltonika only:"), ", ".join(PROFILES)),
            "imei": _("Teltonika only: 15 digits."),
        }

    def clean(self) -> dict[str, Any]:
        """The rules of devices, said beside the form."""
        found = super().clean() or {}
        try:
            services.check_unit(unit=self.unit())
        except DomainError as problem:
            self.add_error("imei", problem.detail)
        return found

    def unit(self) -> services.Unit:
        """What was filled in."""
        told = self.cleaned_data
        return services.Unit(
            protocol=told.get("protocol", Protocol.HTTP),
            model=told.get("model", ""),
            imei=told.get("imei") or None,
        )


class AssignmentInline(ScopedInline):
    """The vehicles a device sat in."""

    model = DeviceAssignment
    viewers = FLEET_STAFF
    fields = ("vehicle", "during")
    autocomplete_fields = ("vehicle",)


@admin.register(Device)
class DeviceAdmin(ScopedAdmin[Device]):
    """Devices; a new one shows its secret this once."""

    viewers = FLEET_STAFF
    editors = OPERATORS
    list_display = ("serial", "protocol", "model", "organisation", "created_at", "revoked_at")
    list_filter = ("protocol", ("revoked_at", admin.EmptyFieldListFilter))
    list_select_related = ("organisation",)
    search_fields = ("serial", "imei", "assignments__vehicle__code")
    readonly_fields = ("organisation", "serial", "protocol", "imei", "created_at", "revoked_at")
    inlines: ClassVar = [AssignmentInline]
    actions = ("revoke",)

    @admin.action(description=_("Revoke"), permissions=["change"])
    def revoke(self, request: HttpRequest, devices: QuerySet[Device]) -> None:
        """Refuse these devices from now on."""
        for device in devices:
            services.revoke_device(device_id=device.pk, **_deed(request))

    def get_form(
        self,
        request: HttpRequest,
        obj: Device | None = None,
        change: bool = False,  # noqa: FBT001, FBT002 - the framework's signature
        **kwargs: Any,
    ) -> type[forms.ModelForm[Device]]:
        """A device to be is described by other fields than one that is there."""
        if obj is not None:
            return super().get_form(request, obj, change, **kwargs)
        form: Any = super().get_form(request, obj, change, form=NewDeviceForm, fields=None)
        mine = Vehicle.objects.run_by(person_of(request), *OPERATORS)
        # A field of this form alone: one that is declared is shared by all who open the page.
        form.base_fields["vehicle"] = row_search(
            model=DeviceAssignment,
            column="vehicle",
            among=mine.exclude(life_state=LifeState.RETIRED),
            label=_("vehicle"),
        )
        return form  # type: ignore[no-any-return]  # Django makes the class as it goes

    def get_fields(self, request: HttpRequest, obj: Device | None = None) -> Any:
        """All of the form for a device to be."""
        return super().get_fields(request, obj) if obj else NEW_DEVICE

    def get_readonly_fields(self, request: HttpRequest, obj: Device | None = None) -> Any:
        """What is decided once."""
        return self.readonly_fields if obj else ()

    def get_inlines(self, request: HttpRequest, obj: Device | None) -> Any:
        """A device to be has sat nowhere."""
        return self.inlines if obj else []

    def save_model(
        self,
        request: HttpRequest,
        obj: Device,
        form: Any,
        change: bool,  # noqa: FBT001 - the framework's signature
    ) -> None:
        """Give the vehicle its device and show the secret this once; later only the model changes."""
        if change:
            super().save_model(request, obj, form, change)
            transaction.on_commit(announce_change)
            return
        device, secret = services.add_device(
            vehicle_code=form.cleaned_data["vehicle"].code, unit=form.unit(), **_deed(request)
        )
        obj.pk, obj.serial = device.pk, device.serial
        if device.protocol in (Protocol.HTTP, Protocol.MQTT):
            told = {"serial": device.serial, "secret": secret}
            text = _("The secret of %(serial)s, shown only now: %(secret)s") % told
            self.message_user(request, text, messages.WARNING)


@admin.register(Integration)
class IntegrationAdmin(ScopedAdmin[Integration]):
    """Backends of operators; a new one shows its secret this once."""

    viewers = FLEET_STAFF
    editors = OPERATORS
    list_display = ("name", "organisation", "created_at", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    list_select_related = ("organisation",)
    search_fields = ("name",)
    readonly_fields = ("organisation", "name", "created_at", "revoked_at")
    actions = ("revoke",)

    @admin.action(description=_("Revoke"), permissions=["change"])
    def revoke(self, request: HttpRequest, integrations: QuerySet[Integration]) -> None:
        """Refuse these backends from now on."""
        for one in integrations:
            services.revoke_integration(integration_id=one.pk, **_deed(request))

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """A backend speaks for an operator that one works for."""
        person: Any = request.user
        operators = Organisation.objects.filter(kind=OrganisationKind.FLEET_OPERATOR)
        if not person.is_superuser:
            operators = operators.filter(pk__in=person.organisations_as(*OPERATORS))
        return super().formfield_for_foreignkey(db_field, request, queryset=operators, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Integration | None = None) -> Any:
        """What names a backend to be."""
        return super().get_fields(request, obj) if obj else ("organisation", "name")

    def get_readonly_fields(self, request: HttpRequest, obj: Integration | None = None) -> Any:
        """Nothing of it changes but its end."""
        return self.readonly_fields if obj else ()

    def save_model(
        self,
        request: HttpRequest,
        obj: Integration,
        form: Any,
        change: bool,  # noqa: FBT001 - the framework's signature
    ) -> None:
        """Let the backend in and show its secret this once."""
        if change:
            return
        added, secret = services.add_integration(
            organisation_slug=obj.organisation.slug, name=obj.name, **_deed(request)
        )
        obj.pk = added.pk
        told = {"name": added.name, "secret": secret}
        text = _("The secret of %(name)s, shown only now: %(secret)s") % told
        self.message_user(request, text, messages.WARNING)


def _deed(request: HttpRequest) -> dict[str, Any]:
    """When, and by whom: what every service wants to know."""
    return {"at": clock.now(), "by": person_of(request).principal}
