"""Admin pages of trips and of what may follow them."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from bookings.trips import services
from bookings.trips.models import (
    EndPhoto,
    Incident,
    StartPhoto,
    Trip,
    TripDispute,
    TripPolicy,
    TripVersion,
)
from bookings.trips.states import PhotoState, Waiver
from mobility.accounts.scoped_admin import ReadOnly, ScopedAdmin, ScopedInline, act_on_each
from mobility.accounts.states import Role
from mobility.core import clock
from mobility.core.errors import DomainError
from mobility.core.files import StoredFile

OPERATORS = frozenset({Role.FLEET_OPERATOR})


class ReasonForm(ActionForm):
    """What staff say about what they do; riders read it."""

    reason = forms.CharField(label=_("Reason"), max_length=300, required=False)


class VersionInline(ReadOnly, ScopedInline):
    """How a trip was corrected."""

    model = TripVersion
    viewers = OPERATORS
    fields = ("number", "state", "at", "reason", "ended_at", "distance_m", "waiver", "total_cents")
    readonly_fields = fields


class PhotoInline(ReadOnly, ScopedInline):
    """Photos of the parked vehicle."""

    model = EndPhoto
    viewers = OPERATORS
    fields = ("taken_at", "state", "reason", "strike")
    readonly_fields = fields
    show_change_link = True


@admin.register(Trip)
class TripAdmin(ScopedAdmin[Trip]):
    """Trips; to see, and to end for a rider who cannot."""

    viewers = OPERATORS
    list_display = (
        "requested_at",
        "vehicle",
        "state",
        "end_reason",
        "started_at",
        "ended_at",
        "price_cents",
        "flags",
        "user",
    )
    list_filter = ("state", "end_reason")
    list_select_related = ("vehicle", "user")
    search_fields = ("vehicle__code", "user__email", "public_id")
    date_hierarchy = "requested_at"
    inlines = (VersionInline, PhotoInline)
    actions = ("end_now",)

    @admin.action(description=_("End the chosen trips now"), permissions=["view"])
    def end_now(self, request: HttpRequest, queryset: QuerySet[Trip]) -> None:
        """The meters stand now, except one's own; the locks are tried all the same."""
        user: Any = request.user
        for trip in Trip.objects.with_story().filter(pk__in=queryset).exclude(user=user):
            try:
                services.force_end(trip=trip, reason="admin", at=clock.now(), by=user.principal)
            except DomainError as problem:
                self.message_user(request, f"{trip}: {problem.detail}", messages.ERROR)


@admin.register(TripPolicy)
class TripPolicyAdmin(ScopedAdmin[TripPolicy]):
    """What the operator decided about trips."""

    viewers = OPERATORS
    editors = OPERATORS
    deletable = True
    list_display = (
        "organisation",
        "kind",
        "auto_pause_min",
        "auto_end_min",
        "max_pause_min",
        "photo_rule",
        "plug_at_hubs",
    )
    list_select_related = ("organisation",)


@admin.register(Incident)
class IncidentAdmin(ReadOnly, ScopedAdmin[Incident]):
    """Outages; declared through the button of the list."""

    viewers = OPERATORS
    editors = OPERATORS
    list_display = ("since", "until", "organisation", "reason", "automatic", "opened_by")
    list_filter = ("automatic", ("until", admin.EmptyFieldListFilter))
    list_select_related = ("organisation",)
    actions = ("close_now",)

    @admin.action(description=_("End the chosen outages: vehicles are heard again"))
    def close_now(self, request: HttpRequest, queryset: QuerySet[Incident]) -> None:
        """Ends are judged as usual again."""
        act_on_each(request, queryset, _close)


@admin.register(TripDispute)
class TripDisputeAdmin(ReadOnly, ScopedAdmin[TripDispute]):
    """The queue of disputes, the most urgent first."""

    viewers = OPERATORS
    editors = OPERATORS
    list_display = ("case_number", "state", "due_at", "reason", "text", "trip", "user")
    list_filter = ("state", "reason")
    list_select_related = ("trip", "user")
    search_fields = ("case_number", "user__email", "trip__public_id")
    ordering = ("state", "due_at")
    action_form = ReasonForm
    actions = ("give_all_back", "give_unlock_back", "reject")

    @admin.action(description=_("Accept: nothing is charged"), permissions=["view"])
    def give_all_back(self, request: HttpRequest, queryset: QuerySet[TripDispute]) -> None:
        """The whole price goes back."""
        _accept_each(request, queryset, Waiver.ALL)

    @admin.action(description=_("Accept: the unlocking is given back"), permissions=["view"])
    def give_unlock_back(self, request: HttpRequest, queryset: QuerySet[TripDispute]) -> None:
        """The price of the unlocking goes back."""
        _accept_each(request, queryset, Waiver.UNLOCK)

    @admin.action(description=_("Reject, with the reason given above"), permissions=["view"])
    def reject(self, request: HttpRequest, queryset: QuerySet[TripDispute]) -> None:
        """The trips stay as they are; without a reason nothing is rejected."""
        answer = request.POST.get("reason", "").strip()
        if not answer:
            messages.error(request, _("Say why: the rider reads it."))
            return
        rows = _others(request, queryset)
        act_on_each(
            request,
            rows,
            lambda row, **terms: services.reject_dispute(dispute=row, answer=answer, **terms),
        )


@admin.register(TripVersion)
class TripVersionAdmin(ReadOnly, ScopedAdmin[TripVersion]):
    """Corrections that wait for somebody to decide."""

    viewers = OPERATORS
    editors = OPERATORS
    list_display = ("at", "trip", "number", "state", "reason", "total_cents", "by")
    list_filter = ("state",)
    list_select_related = ("trip",)
    actions = ("apply", "reject")

    @admin.action(description=_("Apply: the difference goes back"), permissions=["view"])
    def apply(self, request: HttpRequest, queryset: QuerySet[TripVersion]) -> None:
        """The versions hold from now on."""
        rows = queryset.select_related("trip").exclude(trip__user=_user(request))
        act_on_each(
            request, rows, lambda row, **terms: services.apply_correction(version=row, **terms)
        )

    @admin.action(description=_("Reject the correction"), permissions=["view"])
    def reject(self, request: HttpRequest, queryset: QuerySet[TripVersion]) -> None:
        """The trips stay as they are."""
        rows = queryset.exclude(trip__user=_user(request))
        act_on_each(
            request, rows, lambda row, **terms: services.reject_correction(version=row, **terms)
        )


@admin.register(EndPhoto)
class EndPhotoAdmin(ReadOnly, ScopedAdmin[EndPhoto]):
    """The queue of photos to look at, the oldest first."""

    viewers = OPERATORS
    editors = OPERATORS
    list_display = ("taken_at", "state", "picture", "trip", "strike", "reason", "appeal")
    list_filter = ("state",)
    list_select_related = ("trip", "file")
    ordering = ("taken_at",)
    exclude = ("file",)
    readonly_fields = ("picture",)
    action_form = ReasonForm
    actions = ("good", "unsure", "bad", "uphold", "overturn")

    @admin.display(description=_("photo"))
    def picture(self, photo: EndPhoto) -> SafeString | str:
        """The photo itself, as long as it is kept."""
        return _picture(photo.file)

    @admin.action(description=_("Well parked"), permissions=["view"])
    def good(self, request: HttpRequest, queryset: QuerySet[EndPhoto]) -> None:
        """Nothing to be said."""
        _review_each(request, queryset, PhotoState.GOOD)

    @admin.action(description=_("Cannot be told from the photo"), permissions=["view"])
    def unsure(self, request: HttpRequest, queryset: QuerySet[EndPhoto]) -> None:
        """Counts for nothing."""
        _review_each(request, queryset, PhotoState.UNSURE)

    @admin.action(description=_("Badly parked, with the reason given above"), permissions=["view"])
    def bad(self, request: HttpRequest, queryset: QuerySet[EndPhoto]) -> None:
        """Counts; without a reason nothing is judged."""
        if not request.POST.get("reason", "").strip():
            messages.error(request, _("Say why: the rider reads it."))
            return
        _review_each(request, queryset, PhotoState.BAD)

    @admin.action(description=_("Objection: the verdict stays"), permissions=["view"])
    def uphold(self, request: HttpRequest, queryset: QuerySet[EndPhoto]) -> None:
        """Badly parked all the same."""
        _decide_each(request, queryset, upheld=True)

    @admin.action(description=_("Objection: the rider is right"), permissions=["view"])
    def overturn(self, request: HttpRequest, queryset: QuerySet[EndPhoto]) -> None:
        """Well parked; a fee falls."""
        _decide_each(request, queryset, upheld=False)


@admin.register(StartPhoto)
class StartPhotoAdmin(ReadOnly, ScopedAdmin[StartPhoto]):
    """What riders found, vehicle by vehicle, the newest first."""

    viewers = OPERATORS
    list_display = ("taken_at", "vehicle", "picture", "note", "user")
    list_select_related = ("vehicle", "file", "user")
    search_fields = ("vehicle__code", "user__email", "note")
    date_hierarchy = "taken_at"
    exclude = ("file",)
    readonly_fields = ("picture",)

    @admin.display(description=_("photo"))
    def picture(self, photo: StartPhoto) -> SafeString | str:
        """The photo itself, as long as it is kept."""
        return _picture(photo.file)


def _picture(file: StoredFile) -> SafeString | str:
    if file.removed_at is not None:
        return "–"
    address = reverse("api:file", kwargs={"public_id": file.public_id})
    return format_html('<a href="{0}"><img src="{0}" alt="" width="160"></a>', address)


def _user(request: HttpRequest) -> Any:
    return request.user


def _close(row: Incident, **terms: Any) -> None:
    services.close_incident(incident=row, **terms)


def _others(request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Nobody decides about themselves."""
    return rows.exclude(user=_user(request)).select_related("trip", "user")


def _accept_each(request: HttpRequest, rows: QuerySet[TripDispute], waiver: Waiver) -> None:
    answer = request.POST.get("reason", "").strip()
    act_on_each(
        request,
        _others(request, rows),
        lambda row, **terms: services.accept_dispute(
            dispute=row, answer=answer, waiver=waiver, **terms
        ),
    )


def _review_each(request: HttpRequest, rows: QuerySet[EndPhoto], verdict: PhotoState) -> None:
    reason = request.POST.get("reason", "").strip()
    act_on_each(
        request,
        _others(request, rows).select_related("file"),
        lambda row, **terms: services.review_photo(
            photo=row, verdict=verdict, reason=reason, **terms
        ),
    )


def _decide_each(request: HttpRequest, rows: QuerySet[EndPhoto], *, upheld: bool) -> None:
    reason = request.POST.get("reason", "").strip()
    act_on_each(
        request,
        _others(request, rows),
        lambda row, **terms: services.decide_appeal(
            photo=row, upheld=upheld, reason=reason, **terms
        ),
    )
