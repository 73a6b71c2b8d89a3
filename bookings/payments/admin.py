"""Admin pages of money: everything to see, nothing to type. Refunds and write-offs are deeds."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from bookings.payments import services
from bookings.payments.models import (
    LedgerAccount,
    LedgerEntry,
    LedgerTransaction,
    Payment,
    Receipt,
    Refund,
)
from mobility.accounts.scoped_admin import ScopedAdmin, ScopedInline
from mobility.accounts.states import Role
from mobility.core import clock
from mobility.core.errors import DomainError
from mobility.core.money import format_money

CASHIERS = frozenset({Role.FLEET_OPERATOR, Role.CHARGE_POINT_OPERATOR})


class RefundInline(ScopedInline):
    """What was given back."""

    model = Refund
    viewers = CASHIERS
    addable = False
    fields = ("state", "cents", "reason", "by", "requested_at", "done_at")
    readonly_fields = fields


class DocumentInline(ScopedInline):
    """The documents of a payment."""

    model = Receipt
    viewers = CASHIERS
    addable = False
    fields = ("number", "kind", "issued_at", "total_cents")
    readonly_fields = fields
    show_change_link = True


@admin.register(Payment)
class PaymentAdmin(ScopedAdmin[Payment]):
    """Payments."""

    viewers = CASHIERS
    list_display = ("created_at", "purpose", "state", "amount", "given_back", "failure", "payer")
    list_filter = ("state", "purpose")
    list_select_related = ("payer",)
    search_fields = ("public_id", "purpose_ref", "payer__email")
    date_hierarchy = "created_at"
    inlines = (DocumentInline, RefundInline)
    actions = ("give_back", "write_off")

    @admin.display(description=_("amount"), ordering="amount_cents")
    def amount(self, payment: Payment) -> str:
        """What it comes to."""
        return format_money(payment.amount_cents, payment.currency)

    @admin.display(description=_("given back"), ordering="refunded_cents")
    def given_back(self, payment: Payment) -> str:
        """What went back."""
        return format_money(payment.refunded_cents, payment.currency)

    @admin.action(description=_("Give back all that was collected"), permissions=["view"])
    def give_back(self, request: HttpRequest, queryset: QuerySet[Payment]) -> None:
        """Refund the rest of the chosen payments, except one's own."""
        user: Any = request.user
        for payment in queryset.exclude(payer=user):
            left = payment.captured_cents - payment.refunded_cents
            if left > 0:
                self._try(
                    request,
                    payment,
                    lambda payment=payment, left=left: services.request_refund(
                        payment_id=payment.pk,
                        cents=left,
                        reason="admin",
                        at=clock.now(),
                        by=user.principal,
                    ),
                )

    @admin.action(description=_("Write off the chosen debts"), permissions=["view"])
    def write_off(self, request: HttpRequest, queryset: QuerySet[Payment]) -> None:
        """Give up on debts, except one's own."""
        user: Any = request.user
        for payment in queryset.exclude(payer=user):
            self._try(
                request,
                payment,
                lambda payment=payment: services.write_off(
                    payment_id=payment.pk, reason="admin", at=clock.now(), by=user.principal
                ),
            )

    def _try(self, request: HttpRequest, payment: Payment, deed: Any) -> None:
        try:
            deed()
        except DomainError as problem:
            self.message_user(request, f"{payment}: {problem.detail}", messages.ERROR)
        else:
            self.message_user(request, _("Done: %s") % payment, messages.SUCCESS)


@admin.register(Refund)
class RefundAdmin(ScopedAdmin[Refund]):
    """Refunds."""

    viewers = CASHIERS
    list_display = ("requested_at", "state", "cents", "reason", "by", "payment")
    list_filter = ("state",)
    list_select_related = ("payment",)


@admin.register(Receipt)
class ReceiptAdmin(ScopedAdmin[Receipt]):
    """Receipts and credit notes."""

    viewers = CASHIERS
    list_display = ("number", "kind", "issued_at", "total", "organisation")
    list_filter = ("kind", "year")
    list_select_related = ("organisation",)
    search_fields = ("number",)
    date_hierarchy = "issued_at"

    @admin.display(description=_("total"), ordering="total_cents")
    def total(self, receipt: Receipt) -> str:
        """What it says at the bottom."""
        return format_money(receipt.total_cents, receipt.currency)


class EntryInline(ScopedInline):
    """The entries of a transaction."""

    model = LedgerEntry
    viewers = CASHIERS
    addable = False
    fields = ("account", "cents", "vat_rate")
    readonly_fields = fields


@admin.register(LedgerTransaction)
class LedgerTransactionAdmin(ScopedAdmin[LedgerTransaction]):
    """The journal."""

    viewers = CASHIERS
    list_display = ("at", "deed", "ref", "organisation")
    list_filter = ("deed",)
    list_select_related = ("organisation",)
    search_fields = ("ref",)
    date_hierarchy = "at"
    inlines = (EntryInline,)


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ScopedAdmin[LedgerEntry]):
    """Single entries."""

    viewers = CASHIERS
    list_display = ("transaction", "account", "cents", "vat_rate")
    list_filter = ("account__kind",)
    list_select_related = ("transaction", "account__organisation")


@admin.register(LedgerAccount)
class LedgerAccountAdmin(ScopedAdmin[LedgerAccount]):
    """Accounts."""

    viewers = CASHIERS
    list_display = ("organisation", "kind", "currency")
    list_select_related = ("organisation",)
