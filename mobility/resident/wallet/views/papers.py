"""Receipts, invoices and credit notes, and whom invoices are made out to."""

import uuid

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from bookings.payments.documents import services
from bookings.payments.documents.queries import shown_documents
from bookings.payments.models import BillingDetails, Receipt
from bookings.payments.states import DocumentKind
from mobility.core import clock
from mobility.core.errors import NotFound
from mobility.resident.wallet.forms import BillingForm
from mobility.resident.wallet.views.overview import WalletPage

PAGE = 25


class ReceiptsView(WalletPage):
    """`/wallet/receipts/`: every numbered document, newest first; `?before=` goes on."""

    template = "resident/wallet/receipts.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """A page of them."""
        rows = shown_documents().filter(payment__payer=self.person).order_by("-id")
        before = request.GET.get("before", "")
        if before.isdecimal():
            rows = rows.filter(pk__lt=int(before[:18]))
        found = list(rows[: PAGE + 1])
        more = found[PAGE - 1].pk if len(found) > PAGE else None
        return self.show(papers=found[:PAGE], more=more, receipt=DocumentKind.RECEIPT)


class InvoiceView(WalletPage):
    """`/wallet/receipts/<id>/invoice/`"""

    same_door = "api:receipt-invoice"

    def post(self, request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
        """Have an invoice made out in place of a receipt."""
        receipt = Receipt.objects.select_related("payment", "organisation").filter(
            public_id=public_id, payment__payer=self.person
        )
        found = receipt.first()
        if found is None:
            raise NotFound
        try:
            made = services.make_invoice(receipt=found, at=clock.now(), by=self.person.principal)
        except services.BillingDetailsMissing as refusal:
            return self.done(refusal.detail, reverse("resident:billing"))
        words = _("Invoice %(number)s has been made out.") % {"number": made.number}
        return self.done(words, self.way_back())

    def way_back(self) -> str:
        """The list."""
        return reverse("resident:receipts")


class BillingView(WalletPage):
    """`/wallet/billing/`: whom invoices are made out to."""

    template = "resident/wallet/billing.html"
    same_door = "api:billing-details"

    def get(self, request: HttpRequest) -> HttpResponse:
        """As they are kept."""
        kept = BillingDetails.objects.filter(user=self.person).first()
        return self.show(form=BillingForm(initial=services.customer_of(kept) if kept else None))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Keep them; every fault stands at its field."""
        form = BillingForm(request.POST)
        if not form.is_valid():
            return self.show(form=form, status=422)
        try:
            services.keep_billing_details(
                user_id=self.person.pk,
                details=form.cleaned_data,
                at=clock.now(),
                by=self.person.principal,
            )
        except services.BillingDetailsWrong as refusal:
            for name, fault in refusal.extra["fields"].items():
                form.add_error(name if name in form.fields else None, fault)
            return self.show(form=form, status=refusal.status)
        return self.done(_("Saved."), reverse("resident:receipts"))
