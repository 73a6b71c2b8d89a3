"""Admin pages of money: what moved is only seen; refunds, fees and write-offs are deeds, and the
organisation's limits, rules and catalogue are edited.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from bookings.payments import services
from bookings.payments.models import (
    Fee,
    FeeKind,
    GoodwillRule,
    LedgerAccount,
    LedgerEntry,
    LedgerTransaction,
    Payment,
    PaymentPolicy,
    Receipt,
    Refund,
)
from bookings.payments.models.scoping import MONEY_READERS
from bookings.payments.states import RefundState
from mobility.accounts.scoped_admin import ReadOnly, ScopedAdmin, ScopedInline, act_on_each
from mobility.core import clock
from mobility.core.errors import DomainError
from mobility.core.principals import Principal

CASHIERS = frozenset(MONEY_READERS)


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
    list_display = (
        "created_at", "purpose", "state", "amount_cents", "refunded_cents", "failure", "payer",
    )  # fmt: skip
    list_filter = ("state", "purpose")
    list_select_related = ("payer",)
    search_fields = ("public_id", "purpose_ref", "payer__email")
    date_hierarchy = "created_at"
    inlines = (DocumentInline, RefundInline)
    actions = ("give_back", "write_off", "lose")

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

    @admin.action(description=_("Book the chosen debts as lost"), permissions=["view"])
    def lose(self, request: HttpRequest, queryset: QuerySet[Payment]) -> None:
        """Give up on debts that cannot be got, except one's own."""
        user: Any = request.user
        for payment in queryset.exclude(payer=user):
            self._try(
                request,
                payment,
                lambda payment=payment: services.write_off(
                    payment_id=payment.pk,
                    reason="admin",
                    at=clock.now(),
                    by=user.principal,
                    lost=True,
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
    """Refunds; those that wait for a second person are approved or rejected here."""

    viewers = CASHIERS
    list_display = ("requested_at", "state", "cents", "reason", "by", "approver", "payment")
    list_filter = ("state", "way", "needs_approval")
    list_select_related = ("payment",)
    date_hierarchy = "requested_at"
    actions = ("approve", "reject")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Whose they are, too: the support console leads to all of a person's."""
        return lookup == "payment__payer__exact" or super().lookup_allowed(lookup, value, request)

    @admin.action(description=_("Approve the chosen refunds"), permissions=["view"])
    def approve(self, request: HttpRequest, queryset: QuerySet[Refund]) -> None:
        """Let them go out; one's own are refused."""

        def deed(refund: Refund, **terms: Any) -> None:
            services.approve_refund(refund_id=refund.pk, **terms)

        act_on_each(request, queryset.filter(state=RefundState.PROPOSED), deed)

    @admin.action(description=_("Reject the chosen refunds"), permissions=["view"])
    def reject(self, request: HttpRequest, queryset: QuerySet[Refund]) -> None:
        """Refuse them; one's own are refused."""

        def deed(refund: Refund, **terms: Any) -> None:
            services.reject_refund(refund_id=refund.pk, reason="admin", **terms)

        act_on_each(request, queryset.filter(state=RefundState.PROPOSED), deed)


@admin.register(Fee)
class FeeAdmin(ReadOnly, ScopedAdmin[Fee]):
    """Fees: announced after a look at the evidence, kept or dropped when disputed."""

    viewers = CASHIERS
    list_display = ("proposed_at", "state", "kind", "cents", "user", "charge_after", "dispute")
    list_filter = ("state",)
    list_select_related = ("kind__organisation", "user")
    search_fields = ("public_id", "about", "user__email")
    date_hierarchy = "proposed_at"
    actions = ("announce", "uphold", "waive")

    @admin.action(description=_("Announce the chosen fees"), permissions=["view"])
    def announce(self, request: HttpRequest, queryset: QuerySet[Fee]) -> None:
        """Tell the people; their days to dispute begin."""
        self._act(request, queryset, services.announce_fee)

    @admin.action(description=_("Keep the chosen disputed fees"), permissions=["view"])
    def uphold(self, request: HttpRequest, queryset: QuerySet[Fee]) -> None:
        """The evidence stands."""
        self._act(request, queryset, partial(services.uphold_fee, decision="admin"))

    @admin.action(description=_("Drop the chosen fees"), permissions=["view"])
    def waive(self, request: HttpRequest, queryset: QuerySet[Fee]) -> None:
        """What was charged goes back."""
        self._act(request, queryset, partial(services.waive_fee, decision="admin"))

    def _act(
        self, request: HttpRequest, queryset: QuerySet[Fee], service: Callable[..., Any]
    ) -> None:
        user: Any = request.user

        def deed(fee: Fee, *, at: Any, by: Principal) -> None:
            service(fee_id=fee.public_id, at=at, by=by)

        act_on_each(request, queryset.exclude(user=user), deed)


class PolicyAdmin(ScopedAdmin[Any]):
    """What an organisation decides for itself; the database keeps the trail of every edit."""

    viewers = CASHIERS
    editors = CASHIERS
    list_select_related = ("organisation",)


@admin.register(PaymentPolicy)
class PaymentPolicyAdmin(PolicyAdmin):
    """Limits."""

    list_display = ("organisation", "refund_limit_cents", "dispute_days", "link_days")


@admin.register(GoodwillRule)
class GoodwillRuleAdmin(PolicyAdmin):
    """What goes back by itself."""

    list_display = ("organisation", "situation", "percent", "max_cents", "active")
    list_filter = ("active",)


@admin.register(FeeKind)
class FeeKindAdmin(PolicyAdmin):
    """The catalogue of fees."""

    list_display = ("organisation", "code", "cents", "vat_rate", "active")
    list_filter = ("active",)


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
    list_display = ("organisation", "kind", "user", "provider", "currency", "balance_cents")
    list_filter = ("kind",)
    list_select_related = ("organisation", "user")
    search_fields = ("user__email",)
