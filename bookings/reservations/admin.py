"""Admin pages of reservations, bookings and the rules for both."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from bookings.reservations import services
from bookings.reservations.models import Booking, Reservation, ReservationPolicy
from mobility.accounts.scoped_admin import ReadOnly, ScopedAdmin, act_on_each
from mobility.accounts.states import Role


@admin.register(Reservation)
class ReservationAdmin(ReadOnly, ScopedAdmin[Reservation]):
    """Reservations; to see, and to cancel for somebody who calls."""

    viewers = frozenset({Role.FLEET_OPERATOR})
    list_display = ("reserved_at", "vehicle", "state", "expires_at", "user")
    list_filter = ("state",)
    list_select_related = ("vehicle", "user")
    search_fields = ("vehicle__code", "user__email", "public_id")
    date_hierarchy = "reserved_at"
    actions = ("cancel",)

    @admin.action(description=_("Cancel the chosen reservations"), permissions=["view"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Reservation]) -> None:
        """Give the vehicles back."""
        act_on_each(
            request,
            queryset,
            lambda row, **how: services.cancel_reservation(reservation=row, **how),
        )


@admin.register(Booking)
class BookingAdmin(ReadOnly, ScopedAdmin[Booking]):
    """The calendar of bookings: by day, state and car; cancelled and exchanged for who calls."""

    viewers = frozenset({Role.FLEET_OPERATOR})
    list_display = ("starts_at", "ends_at", "vehicle", "state", "user", "hub", "moved", "at_risk")
    list_filter = ("state", ("starts_at", admin.DateFieldListFilter), "vehicle__type", "hub")
    list_select_related = ("vehicle", "user", "hub")
    search_fields = ("vehicle__code", "user__email", "public_id")
    date_hierarchy = "starts_at"
    ordering = ("starts_at", "pk")
    actions = ("cancel", "give_another")

    @admin.display(description=_("at risk"), boolean=True)
    def at_risk(self, booking: Booking) -> bool:
        """Whether its car is not expected in time."""
        return booking.at_risk_since is not None

    @admin.action(description=_("Cancel the chosen bookings, without a fee"), permissions=["view"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Booking]) -> None:
        """Give the cars back; whoever calls is not charged."""
        own: Any = queryset
        act_on_each(
            request,
            own.run_by(request.user, Role.FLEET_OPERATOR),
            lambda row, **how: services.cancel_booking(booking_id=row.pk, waive=True, **how),
        )

    @admin.action(description=_("Move the chosen bookings to another car"), permissions=["view"])
    def give_another(self, request: HttpRequest, queryset: QuerySet[Booking]) -> None:
        """The best other car that is as good, at the same price."""
        own: Any = queryset
        act_on_each(
            request,
            own.run_by(request.user, Role.FLEET_OPERATOR),
            lambda row, **how: services.exchange(booking_id=row.pk, reason="staff", **how),
        )


@admin.register(ReservationPolicy)
class ReservationPolicyAdmin(ScopedAdmin[ReservationPolicy]):
    """An operator's own rules."""

    viewers = frozenset({Role.FLEET_OPERATOR})
    editors = frozenset({Role.FLEET_OPERATOR})
    list_display = ("organisation", "group_limit", "unused_per_hour", "buffer_minutes")
    list_select_related = ("organisation",)
    fieldsets = (
        (None, {"fields": ("organisation",)}),
        (
            _("Reservations"),
            {
                "fields": (
                    "group_limit",
                    "unused_per_hour",
                    "cool_down_after",
                    "cool_down_minutes",
                    "mobility_minutes",
                    "shortest_minutes",
                )
            },
        ),
        (
            _("Bookings"),
            {
                "fields": (
                    "bookings_at_once",
                    "booking_minutes",
                    "booking_hours",
                    "days_ahead",
                    "buffer_minutes",
                    "early_minutes",
                    "grace_minutes",
                    "late_minutes",
                    "wait_minutes",
                )
            },
        ),
    )
