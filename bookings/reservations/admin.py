"""Admin pages of reservations."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from bookings.reservations import services
from bookings.reservations.models import Reservation
from mobility.accounts.scoped_admin import ScopedAdmin
from mobility.accounts.states import Role
from mobility.core import clock
from mobility.core.errors import DomainError


@admin.register(Reservation)
class ReservationAdmin(ScopedAdmin[Reservation]):
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
        user: Any = request.user
        for reservation in queryset:
            try:
                services.cancel_reservation(
                    reservation=reservation, at=clock.now(), by=user.principal
                )
            except DomainError as problem:
                self.message_user(request, f"{reservation}: {problem.detail}", messages.ERROR)
