"""Admin pages of reconciliation: the queue of anomalies, statements, and what providers told us."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.helpers import ActionForm
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from bookings.payments.models import Anomaly, StatementLine
from bookings.payments.models.scoping import MONEY_READERS
from bookings.payments.reconciliation import services
from mobility.accounts.scoped_admin import ReadOnly, ScopedAdmin, act_on_each

CASHIERS = frozenset(MONEY_READERS)


class NoteForm(ActionForm):
    """What it was, for whoever asks next year."""

    note = forms.CharField(label=_("Note"), max_length=300, required=False)


@admin.register(Anomaly)
class AnomalyAdmin(ReadOnly, ScopedAdmin[Anomaly]):
    """Disagreements about money; one about a payment of one's own is for somebody else."""

    viewers = CASHIERS
    list_display = (
        "found_at", "kind", "state", "provider", "booked_cents", "stated_cents", "payment", "note",
        "closed_by",
    )  # fmt: skip
    list_filter = ("state", "kind", "provider")
    list_select_related = ("payment",)
    search_fields = ("subject", "payment__public_id", "line__line_id", "line__reference")
    date_hierarchy = "found_at"
    ordering = ("-found_at",)
    action_form = NoteForm
    actions = ("explain", "resolve")

    @admin.action(description=_("Explain, with the note given above"), permissions=["view"])
    def explain(self, request: HttpRequest, queryset: QuerySet[Anomaly]) -> None:
        """Nothing has to be done about them."""
        self._close(request, queryset, services.explain_anomaly)

    @admin.action(description=_("Resolve, with the note given above"), permissions=["view"])
    def resolve(self, request: HttpRequest, queryset: QuerySet[Anomaly]) -> None:
        """Something was done about them."""
        self._close(request, queryset, services.resolve_anomaly)

    @staticmethod
    def _close(request: HttpRequest, queryset: QuerySet[Anomaly], deed: Any) -> None:
        note = request.POST.get("note", "")
        rows = queryset.exclude(payment__payer=request.user.pk)

        def close(anomaly: Anomaly, **terms: Any) -> None:
            deed(anomaly=anomaly, note=note, **terms)

        act_on_each(request, rows, close)


@admin.register(StatementLine)
class StatementLineAdmin(ReadOnly, ScopedAdmin[StatementLine]):
    """What providers state, line by line."""

    viewers = CASHIERS
    list_display = ("at", "provider", "kind", "cents", "fee_cents", "currency", "payment")
    list_filter = ("provider", "kind")
    list_select_related = ("payment",)
    search_fields = ("line_id", "reference", "key")
    date_hierarchy = "at"
