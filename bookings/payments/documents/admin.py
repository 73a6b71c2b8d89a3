"""Admin pages of documents: what was handed out, and the daily totals as a file."""

import csv
import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.urls.resolvers import URLPattern
from django.utils.translation import gettext_lazy as _

from bookings.payments.documents.queries import DayTotal, daily_totals
from bookings.payments.models import BillingDetails, Receipt
from bookings.payments.models.scoping import MONEY_READERS
from mobility.accounts.models import Organisation
from mobility.accounts.scoped_admin import ReadOnly, ScopedAdmin
from mobility.core import clock

CASHIERS = frozenset(MONEY_READERS)
COLUMNS = (
    "day", "organisation", "vat_rate", "receipts", "credit_notes", "net", "vat", "gross", "currency",
)  # fmt: skip
MOST_DAYS = 400


class PeriodForm(forms.Form):
    """Two days of the city's calendar, both included."""

    first = forms.DateField(label=_("first day"))
    last = forms.DateField(label=_("last day"))

    def clean(self) -> dict[str, Any]:
        """In order, and not longer than a year and a bit."""
        given = super().clean() or {}
        first, last = given.get("first"), given.get("last")
        if first and last and not 0 <= (last - first).days <= MOST_DAYS:
            raise forms.ValidationError(_("The first day comes first, and a year is enough."))
        return given


@admin.register(Receipt)
class ReceiptAdmin(ReadOnly, ScopedAdmin[Receipt]):
    """Receipts, invoices and credit notes."""

    viewers = CASHIERS
    list_display = ("number", "kind", "issued_at", "total_cents", "organisation")
    list_filter = ("kind", "year")
    list_select_related = ("organisation",)
    search_fields = ("number",)
    date_hierarchy = "issued_at"
    change_list_template = "admin/bookings/receipt/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        """The daily totals beside the list."""
        view = self.admin_site.admin_view(self.daily_totals)
        mine = [path("corrispettivi.csv", view, name="bookings_receipt_totals")]
        return mine + super().get_urls()

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Offer last month's totals."""
        last = clock.service_day(clock.now()).replace(day=1) - datetime.timedelta(days=1)
        period = {"first": last.replace(day=1), "last": last}
        return super().changelist_view(request, {**(extra_context or {}), "period": period})

    def daily_totals(self, request: HttpRequest) -> HttpResponse:
        """The corrispettivi of the person's organisations as CSV: amounts in euros, with a point."""
        if not self.has_view_permission(request):
            return HttpResponse(status=403)
        form = PeriodForm(request.GET)
        if not form.is_valid():
            return HttpResponse(form.errors.as_text(), status=400, content_type="text/plain")
        user: Any = request.user
        organisations = Organisation.objects.all()
        if not user.is_superuser:
            organisations = organisations.filter(pk__in=user.organisations_as(*MONEY_READERS))
        slugs = dict(organisations.values_list("pk", "slug"))
        answer = HttpResponse(content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = 'attachment; filename="corrispettivi.csv"'
        writer = csv.writer(answer)
        writer.writerow(COLUMNS)
        for total in daily_totals(organisation_ids=slugs, **form.cleaned_data):
            writer.writerow(_row(total, slugs[total.organisation_id]))
        return answer


@admin.register(BillingDetails)
class BillingDetailsAdmin(ReadOnly, ScopedAdmin[BillingDetails]):
    """A person's own; staff read them on the invoice, and superusers here."""

    list_display = ("name", "vat_number", "tax_code", "town", "updated_at")


def _row(total: DayTotal, slug: str) -> tuple[Any, ...]:
    euros = (
        f"{cents / 100:.2f}" for cents in (total.net_cents, total.vat_cents, total.gross_cents)
    )
    return (
        total.day, slug, f"{total.rate:.4f}", total.receipts, total.credit_notes, *euros,
        total.currency,
    )  # fmt: skip
