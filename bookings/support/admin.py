"""Admin pages of support cases: what is late stands first."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from bookings.support.models import ANSWERERS, CaseMessage, SupportCase
from mobility.accounts.scoped_admin import ReadOnly, ScopedAdmin, ScopedInline
from mobility.core import clock


class MessageInline(ReadOnly, ScopedInline):
    """What was said."""

    model = CaseMessage
    viewers = frozenset(ANSWERERS)
    fields = ("at", "from_staff", "text")


@admin.register(SupportCase)
class SupportCaseAdmin(ReadOnly, ScopedAdmin[SupportCase]):
    """Cases of one's organisation; they are answered through the API."""

    viewers = frozenset(ANSWERERS)
    list_display = ("case_number", "kind", "state", "opened_at", "due_at", "late", "organisation")
    list_filter = ("state", "kind")
    list_select_related = ("organisation",)
    search_fields = ("case_number",)
    date_hierarchy = "opened_at"
    ordering = ("due_at",)
    inlines = (MessageInline,)

    @admin.display(description=_("late"), boolean=True)
    def late(self, case: SupportCase) -> bool:
        """Whether the person waits longer than promised."""
        return case.state == "open" and case.due_at < clock.now()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With what the page shows."""
        return super().get_queryset(request).select_related("organisation", "user")
