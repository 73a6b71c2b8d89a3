"""The pages of charging stations in the admin: commissioning, one station."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from charging.desk import services, texts
from charging.desk.forms import (
    CommissionForm,
    ConnectorFormSet,
    ConnectorsFormSet,
    MoreConnectorsFormSet,
    StationForm,
    lines_of,
    plans_of,
)
from charging.desk.money import MoneyPages
from charging.desk.rules import addresses, qr_path
from charging.desk.states import PartName
from charging.desk.views import render_parts
from charging.desk.wire import NotAsked, ask, key_of, see_to
from charging.sessions.api import own_station
from charging.sessions.services import ask_station
from charging.stations.admin import OPERATORS, WATCHERS
from charging.stations.models import ChargingStation
from charging.stations.queries import connectors_of_station
from charging.stations.scoping import operates
from charging.stations.services import change_station, reset_password, set_registration
from charging.stations.states import Registration
from charging.stations.wire import CommandIn
from charging.tickets.models import StationTicket
from mobility.accounts.scoped_admin import person_of
from mobility.core import clock, ids
from mobility.core.errors import DomainError

FIRST_PARTS = (PartName.CHECKLIST, PartName.NOW, PartName.TICKETS, PartName.COMMANDS)
CHANGE = "admin:charging_chargingstation_change"


def _operates(request: HttpRequest, station: ChargingStation) -> bool:
    return operates(person_of(request), organisation_id=station.site.organisation_id)


@admin.register(ChargingStation)
class ChargingStationAdmin(MoneyPages):
    """A station: what happens at it, live, and everything that can be asked of it."""

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
    # It moves to another site on the page of its connectors, while nobody charges there.
    readonly_fields = (
        "identity",
        "site",
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

    def get_queryset(self, request: HttpRequest) -> QuerySet[ChargingStation]:
        """Each with its site, which the page and its parts ask for."""
        return super().get_queryset(request).select_related("site")

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

    def get_urls(self) -> list[URLPattern]:
        """The pages' own addresses, before the admin's."""
        view = self.admin_site.admin_view
        doors: list[tuple[str, Callable[..., HttpResponse], str]] = [
            ("<int:pk>/command/", self.command_view, "charging_station_command"),
            ("<int:pk>/question/", self.question_view, "charging_station_question"),
            ("<int:pk>/ticket/", self.ticket_view, "charging_station_ticket"),
            ("<int:pk>/password/", self.password_view, "charging_station_password"),
            ("<int:pk>/connectors/", self.connectors_view, "charging_station_connectors"),
            ("<int:pk>/parts/", self.parts_view, "charging_station_parts"),
            ("<int:pk>/first-contact/", self.first_contact_view, "charging_station_first"),
            ("site/<int:pk>/power/", self.power_view, "charging_site_power"),
            ("statements/", self.statements_view, "charging_statements"),
        ]
        own = [path(route, view(door), name=name) for route, door, name in doors]
        return [*own, *super().get_urls()]

    # Commissioning

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A charger, its connectors and, if there is none yet, its site, on one page."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        data = request.POST if request.method == "POST" else None
        told, lines_told = self._like(request) if data is None else ({}, None)
        form = CommissionForm(data, user=person_of(request), initial=told)
        lines = ConnectorsFormSet(data, prefix="connectors", initial=lines_told)
        if data is not None and form.is_valid() and lines.is_valid():
            answer = self._commission(request, form, lines)
            if answer is not None:
                return answer
        context = {"form": form, "lines": lines, "title": _("New charger")}
        return self._page(request, "commission", context)

    def _like(self, request: HttpRequest) -> tuple[dict[str, Any], list[dict[str, Any]] | None]:
        """What a station of one's own says for another like it: all but its identity."""
        asked = request.GET.get("like", "")
        own = ChargingStation.objects.operated_by(person_of(request))
        like = own.filter(pk=asked).first() if asked.isdecimal() else None
        if like is None:
            return {}, None
        told = {
            "site": like.site_id,
            "security_profile": like.security_profile,
            "ocpp_versions": like.ocpp_versions,
        }
        return told, lines_of(connectors_of_station(station_id=like.pk))

    def connectors_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What stands on the street: the station's site, its connectors, and those added to it."""
        station = self._own(request, pk)
        rows = list(connectors_of_station(station_id=station.pk))
        data = request.POST if request.method == "POST" else None
        form = StationForm(data, station=station)
        kinds = ConnectorFormSet(
            data,
            prefix="connectors",
            initial=[vars(row) for row in rows],
            form_kwargs={"empty_permitted": False},
        )
        more = MoreConnectorsFormSet(data, prefix="more")
        whole = len(kinds.forms) == len(rows)
        if data is not None and whole and form.is_valid() and kinds.is_valid() and more.is_valid():
            last = max((row.evse.number for row in rows), default=0)
            try:
                change_station(
                    station_id=station.pk,
                    site=form.cleaned_data["site"],
                    connectors={row.pk: kind.plan() for row, kind in zip(rows, kinds, strict=True)},
                    more=plans_of(more, first=last + 1),
                    at=clock.now(),
                    by=person_of(request).principal,
                )
            except DomainError as problem:
                form.add_error(None, problem.detail)
            else:
                self.message_user(request, _("Noted."))
                return self._back(pk, PartName.NOW)
        context = {
            "station": station,
            "title": station.identity,
            "form": form,
            "kinds": kinds,
            "rows": list(zip(rows, kinds, strict=False)),
            "more": more,
        }
        return self._page(request, "connectors", context)

    def _commission(
        self, request: HttpRequest, form: CommissionForm, lines: Any
    ) -> HttpResponse | None:
        """Commission it and go on to its first contact; None where something is in the way."""
        data = form.cleaned_data
        fields = ("identity", "security_profile", "ocpp_versions")
        try:
            station, secret = services.commission(
                site=data["site"] or form.new_site(),
                charger={name: data[name] for name in fields},
                connectors=plans_of(lines),
                at=clock.now(),
                by=person_of(request).principal,
            )
        except DomainError as problem:
            form.add_error(None, problem.detail)
            return None
        request.session[_secret_key(station.pk)] = secret
        return HttpResponseRedirect(reverse("admin:charging_station_first", args=[station.pk]))

    @method_decorator(never_cache)
    def first_contact_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What to type into the charger, its password this once, and how far it got."""
        station = self._own(request, pk)
        typed = addresses(
            identity=station.identity,
            profile=station.security_profile,
            servers=(settings.OCPP_TLS_URL, settings.OCPP_URL),
        )
        side, code = qr_path(typed[0]) if typed else (0, "")
        context = {
            "station": station,
            "title": station.identity,
            "secret": request.session.pop(_secret_key(pk), ""),
            "addresses": typed,
            "servers": [one.rpartition("/")[0] for one in typed],
            "qr_side": side,
            "qr_code": code,
            "parts": self._parts(request, station, (PartName.CHECKLIST,)),
        }
        return self._page(request, "first_contact", context)

    # One station

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

    def _happenings(self, request: HttpRequest, station: ChargingStation) -> dict[str, Any]:
        """The hardware for everybody who sees the station, its business for its operator."""
        may_command = _operates(request, station)
        return {
            "parts": self._parts(request, station, PartName.values),
            "first_parts": FIRST_PARTS,
            "may_command": may_command,
            "command_key": ids.uuid7(),
            "connectors": connectors_of_station(station_id=station.pk) if may_command else (),
            "messages_to_ask": texts.MESSAGES.items(),
            "has_password": station.security_profile in (1, 2),
        }

    @method_decorator(never_cache)
    def parts_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The parts asked for as `part=name~digest`, as far as they look different by now."""
        station: ChargingStation = get_object_or_404(self.get_queryset(request), pk=pk)
        known = dict(part.partition("~")[::2] for part in request.GET.getlist("part"))
        parts = self._parts(request, station, known)
        news = [part for part in parts if known[part.name] != part.digest]
        return JsonResponse(
            {part.name: {"html": part.html, "digest": part.digest} for part in news}
        )

    @method_decorator(require_POST)
    def command_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Queue what a button asks and go back to the station's page."""
        station = self._own(request, pk)
        wish = CommandIn(data={key: value for key, value in request.POST.items() if value})
        if not wish.is_valid():
            self.message_user(request, _("Something is missing for that."), messages.ERROR)
            return self._back(pk)

        def asked() -> str:
            command = ask_station(
                station=station,
                wish=wish.validated_data,
                idempotency_key=key_of(request),
                at=clock.now(),
                by=person_of(request).principal,
            )
            return f"{command.get_action_display()}: {command.get_state_display()}."

        return self._asked(request, pk, asked)

    @method_decorator(require_POST)
    def question_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask what needs more than a button: variables, firmware, logs, certificates."""
        station = self._own(request, pk)

        def asked() -> str:
            by = person_of(request).principal
            return ask(
                station=station, data=request.POST, key=key_of(request), at=clock.now(), by=by
            )

        return self._asked(request, pk, asked)

    @method_decorator(require_POST)
    def ticket_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take a ticket of the station, give it back, or close it."""
        station = self._own(request, pk)
        deed, _sep, number = request.POST.get("deed", "").partition(":")
        ticket = get_object_or_404(StationTicket, station=station, public_id=_uuid(number))

        def done() -> str:
            person, note = person_of(request), request.POST.get("note", "")
            row = see_to(ticket=ticket, deed=deed, note=note, person=person, at=clock.now())
            return f"{row.get_kind_display()}: {row.get_state_display()}."

        return self._asked(request, pk, done, part=PartName.TICKETS)

    @method_decorator(require_POST)
    def password_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Give the station a new password and show it this once, beside the address."""
        station = self._own(request, pk)
        by = person_of(request).principal
        secret = reset_password(station_id=station.pk, at=clock.now(), by=by)
        request.session[_secret_key(pk)] = secret
        return HttpResponseRedirect(reverse("admin:charging_station_first", args=[pk]))

    # What they share

    def _parts(self, request: HttpRequest, station: ChargingStation, names: Any) -> list[Any]:
        mine = _operates(request, station)
        return render_parts(station=station, names=names, operates=mine, at=clock.now())

    def _own(self, request: HttpRequest, pk: int) -> ChargingStation:
        """The station, if this person may command it; 403 for who only sees it, 404 for others."""
        station: ChargingStation = get_object_or_404(self.get_queryset(request), pk=pk)
        return own_station(person_of(request), station.public_id)

    def _asked(
        self,
        request: HttpRequest,
        pk: int,
        asked: Callable[[], str],
        *,
        part: PartName = PartName.COMMANDS,
    ) -> HttpResponse:
        try:
            self.message_user(request, asked())
        except NotAsked:
            self.message_user(request, _("Something is missing for that."), messages.ERROR)
        except DomainError as problem:
            self.message_user(request, problem.detail, messages.ERROR)
        return self._back(pk, part)

    def _register(self, request: HttpRequest, stations: QuerySet[ChargingStation], to: str) -> None:
        by = person_of(request).principal
        own = ChargingStation.objects.operated_by(person_of(request))
        for station in own.filter(pk__in=stations):
            set_registration(station_id=station.pk, to=to, at=clock.now(), by=by)

    def _back(self, pk: int, part: PartName = PartName.COMMANDS) -> HttpResponse:
        return HttpResponseRedirect(f"{reverse(CHANGE, args=[pk])}#part-{part}")


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None


def _secret_key(pk: int) -> str:
    return f"charger-password-{pk}"
