"""Admin pages of tokens, sessions, and of a station with everything that happens at it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from charging.sessions import services
from charging.sessions.api import own_station
from charging.sessions.models import ChargingSession, InboxMessage, Token
from charging.sessions.states import Flag
from charging.stations.admin import OPERATORS, WATCHERS
from charging.stations.forms import StationForm
from charging.stations.models import ChargingStation, RefusedHandshake
from charging.stations.queries import connectors_of_station
from charging.stations.scoping import operates
from charging.stations.services import add_charger, reset_password, set_registration
from charging.stations.states import Registration
from charging.stations.wire import CommandIn
from mobility.accounts.models import User
from mobility.accounts.scoped_admin import ReadOnly, ScopedAdmin
from mobility.core import clock, ids
from mobility.core.errors import DomainError

LATEST = 10
NEW_STATION = (
    "site",
    "identity",
    "security_profile",
    "connectors",
    "standard",
    "power_type",
    "max_power_w",
)


def _person(request: HttpRequest) -> User:
    # The admin only opens for people with an account; this narrows the type.
    assert isinstance(request.user, User)
    return request.user


def _operates(request: HttpRequest, station: ChargingStation) -> bool:
    return operates(_person(request), organisation_id=station.site.organisation_id)


@admin.register(Token)
class TokenAdmin(ScopedAdmin[Token]):
    """Cards an operator issued."""

    editors = OPERATORS
    list_display = ("uid", "kind", "state", "expires_at", "group", "label")
    list_filter = ("state", "kind")
    search_fields = ("uid", "label")
    readonly_fields = ("uid", "kind", "state", "owner_ref", "organisation", "created_at")
    addable = False
    actions = ("block", "unblock")

    @admin.action(description=_("Block"), permissions=["change"])
    def block(self, request: HttpRequest, tokens: QuerySet[Token]) -> None:
        """Let the tokens charge no more."""
        for token in tokens:
            services.block_token(uid=token.uid, at=clock.now(), by=_person(request).principal)

    @admin.action(description=_("Unblock"), permissions=["change"])
    def unblock(self, request: HttpRequest, tokens: QuerySet[Token]) -> None:
        """Let the tokens charge again."""
        for token in tokens:
            services.unblock_token(uid=token.uid, at=clock.now(), by=_person(request).principal)


class FlagFilter(admin.SimpleListFilter):
    """Sessions that staff should look at, by what is odd about them."""

    title = _("flag")
    parameter_name = "flag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """All flags there are."""
        return list(Flag.choices)

    def queryset(
        self,
        request: HttpRequest,
        queryset: QuerySet[ChargingSession],
    ) -> QuerySet[ChargingSession]:
        """Sessions that carry the flag."""
        return queryset.filter(flags__contains=[self.value()]) if self.value() else queryset


@admin.register(ChargingSession)
class ChargingSessionAdmin(ReadOnly, ScopedAdmin[ChargingSession]):
    """Sessions at an operator's stations."""

    viewers = OPERATORS
    list_display = (
        "started_at",
        "station",
        "connector",
        "state",
        "token_uid",
        "energy_wh",
        "price_cents",
        "flags",
    )
    list_filter = ("state", FlagFilter)
    list_select_related = ("station", "connector__evse__station")
    search_fields = ("station__identity", "transaction_ref", "token_uid")
    ordering = ("-id",)


@admin.register(InboxMessage)
class InboxMessageAdmin(ReadOnly, ScopedAdmin[InboxMessage]):
    """What stations said and we could not process; all the rest is no list for people."""

    viewers = OPERATORS
    list_display = ("at", "station", "action", "problem")
    list_select_related = ("station",)
    search_fields = ("station__identity",)
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[InboxMessage]:
        """Without what went well."""
        return super().get_queryset(request).exclude(problem="")


@admin.register(ChargingStation)
class ChargingStationAdmin(ScopedAdmin[ChargingStation]):
    """A station: its connectors now, its last sessions and commands, and buttons to command it."""

    viewers = WATCHERS
    editors = OPERATORS
    change_form_template = "admin/charging/station.html"
    list_display = (
        "identity",
        "site",
        "online",
        "registration",
        "vendor",
        "model",
        "ocpp_version",
        "last_seen_at",
    )
    list_filter = ("registration", "ocpp_version", "status")
    list_select_related = ("site",)
    search_fields = ("identity", "vendor", "model", "serial")
    ordering = ("identity",)
    fields = (
        ("identity", "site"),
        ("registration", "security_profile", "ocpp_versions", "boot_interval_s"),
        ("vendor", "model", "serial", "firmware"),
        ("connected_at", "last_seen_at", "booted_at", "ocpp_version", "gateway"),
    )
    readonly_fields = (
        "identity",
        "registration",
        "security_profile",
        "vendor",
        "model",
        "serial",
        "firmware",
        "connected_at",
        "last_seen_at",
        "booted_at",
        "ocpp_version",
        "gateway",
    )
    actions = ("accept", "reject")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Its operator only: who also sees it as officer of the city has no hand in it."""
        if not super().has_change_permission(request, obj):
            return False
        return not isinstance(obj, ChargingStation) or _operates(request, obj)

    @admin.display(boolean=True, description=_("online"))
    def online(self, station: ChargingStation) -> bool:
        """Whether it can be asked something now."""
        return station.is_online(at=clock.now())

    @admin.action(description=_("Accept at the next boot"), permissions=["change"])
    def accept(self, request: HttpRequest, stations: QuerySet[ChargingStation]) -> None:
        """Serve the stations."""
        self._register(request, stations, Registration.ACCEPTED)

    @admin.action(description=_("Reject at the next boot"), permissions=["change"])
    def reject(self, request: HttpRequest, stations: QuerySet[ChargingStation]) -> None:
        """Serve the stations no more."""
        self._register(request, stations, Registration.REJECTED)

    def get_form(
        self,
        request: HttpRequest,
        obj: ChargingStation | None = None,
        change: bool = False,  # noqa: FBT001, FBT002 - the framework's signature
        **kwargs: Any,
    ) -> type[forms.ModelForm[ChargingStation]]:
        """A station to be is described by other fields than one that is there."""
        if obj is None:
            kwargs |= {"form": StationForm, "fields": None}
        return super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: ChargingStation | None = None) -> Any:
        """All of the form for a station to be."""
        return super().get_fields(request, obj) if obj else NEW_STATION

    def get_readonly_fields(self, request: HttpRequest, obj: ChargingStation | None = None) -> Any:
        """What the station itself reports, and what is decided once."""
        return self.readonly_fields if obj else ()

    def save_model(
        self,
        request: HttpRequest,
        obj: ChargingStation,
        form: Any,
        change: bool,  # noqa: FBT001 - the framework's signature
    ) -> None:
        """Commission a new station and show where it connects, its password this once."""
        if change:
            super().save_model(request, obj, form, change)
            return
        station, secret = add_charger(
            identity=obj.identity,
            site=obj.site,
            connectors=form.plans(),
            security_profile=obj.security_profile,
            at=clock.now(),
            by=_person(request).principal,
        )
        obj.pk = station.pk
        url = f"{settings.OCPP_URL}/{quote(station.identity, safe='')}"
        told = {"url": url, "password": secret or "–"}
        text = _("Connect it to %(url)s with the password, shown only now: %(password)s") % told
        self.message_user(request, text, messages.WARNING)

    def get_urls(self) -> list[URLPattern]:
        """The buttons' addresses, before the admin's own."""
        view = self.admin_site.admin_view
        doors: list[tuple[str, Callable[..., HttpResponse], str]] = [
            ("<int:pk>/command/", self.command_view, "charging_station_command"),
            ("<int:pk>/password/", self.password_view, "charging_station_password"),
        ]
        own = [path(route, view(door), name=name) for route, door, name in doors]
        return [*own, *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The station's page with what happens at it."""
        station = self.get_object(request, object_id)
        context = self._happenings(request, station) if station else {}
        return super().change_view(
            request, object_id, form_url, {**(extra_context or {}), **context}
        )

    @method_decorator(require_POST)
    def command_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Queue what a button asks and go back to the station's page."""
        station = own_station(_person(request), self._public_id(request, pk))
        wish = CommandIn(data={key: value for key, value in request.POST.items() if value})
        if not wish.is_valid():
            self.message_user(request, _("Something is missing for that."), messages.ERROR)
            return self._back(pk)
        try:
            command = services.ask_station(
                station=station,
                wish=wish.validated_data,
                idempotency_key=request.POST.get("key") or str(ids.uuid7()),
                at=clock.now(),
                by=_person(request).principal,
            )
        except DomainError as problem:
            self.message_user(request, problem.detail, messages.ERROR)
        else:
            shown = {"action": command.get_action_display(), "state": command.get_state_display()}
            self.message_user(request, _("%(action)s: %(state)s.") % shown)
        return self._back(pk)

    @method_decorator(require_POST)
    def password_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Give the station a new password and show it this once."""
        station = own_station(_person(request), self._public_id(request, pk))
        by = _person(request).principal
        secret = reset_password(station_id=station.pk, at=clock.now(), by=by)
        text = _("New password, shown only now: %s") % secret
        self.message_user(request, text, messages.WARNING)
        return self._back(pk)

    def _happenings(self, request: HttpRequest, station: ChargingStation) -> dict[str, Any]:
        """The hardware for everybody who sees the station, its business for its operator."""
        hardware = {
            "connectors": connectors_of_station(station_id=station.pk),
            "is_online": station.is_online(at=clock.now()),
        }
        if not _operates(request, station):
            return hardware
        refused = RefusedHandshake.objects.filter(identity=station.identity)
        return hardware | {
            "may_command": True,
            "command_key": ids.uuid7(),
            "open_sessions": station.sessions.open().select_related("connector__evse"),
            "latest_sessions": station.sessions.order_by("-id")[:LATEST],
            "latest_commands": station.commands.order_by("-id")[:LATEST],
            "refused_handshakes": refused.order_by("-id")[:LATEST],
        }

    def _register(
        self,
        request: HttpRequest,
        stations: QuerySet[ChargingStation],
        to: str,
    ) -> None:
        by = _person(request).principal
        own = ChargingStation.objects.operated_by(_person(request))
        for station in own.filter(pk__in=stations):
            set_registration(station_id=station.pk, to=to, at=clock.now(), by=by)

    def _public_id(self, request: HttpRequest, pk: int) -> UUID:
        station: ChargingStation = get_object_or_404(self.get_queryset(request), pk=pk)
        return station.public_id

    def _back(self, pk: int) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:charging_chargingstation_change", args=[pk]))
