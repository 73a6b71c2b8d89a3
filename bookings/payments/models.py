"""Money: payment methods, payments and refunds, the ledger, numbered documents."""

from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from bookings.payments.states import (
    PAYMENT_MOVES,
    REFUND_MOVES,
    AccountKind,
    DocumentKind,
    Outcome,
    PaymentState,
    Purpose,
    RefundState,
)
from mobility.accounts.states import Role
from mobility.core.models import PublicModel
from mobility.core.money import EUR

if TYPE_CHECKING:
    import datetime

    from mobility.accounts.models import User

Row = TypeVar("Row", bound=models.Model)

# Who may see the money of an organisation.
MONEY_READERS = (Role.FLEET_OPERATOR, Role.CHARGE_POINT_OPERATOR)


class PaymentMethodQuerySet(models.QuerySet["PaymentMethod"]):
    """Methods by owner."""

    def visible_to(self, user: "User") -> Self:
        """A person's own; staff have no business with them."""
        return self if user.is_superuser else self.filter(user=user)

    def usable(self) -> Self:
        """Not removed, the default one first."""
        return self.filter(removed_at__isnull=True).order_by("-is_default", "-id")


class PaymentMethod(PublicModel):
    """A card on file, known to us only by the provider's token and what is printed on its face."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="payment_methods",
        verbose_name=_("person"),
    )
    provider = models.CharField(_("provider"), max_length=20)
    token = models.CharField(_("token"), max_length=80)
    label = models.CharField(_("label"), max_length=60)
    is_default = models.BooleanField(_("default"), default=False)
    created_at = models.DateTimeField(_("added at"))
    removed_at = models.DateTimeField(_("removed at"), null=True, blank=True)

    objects = PaymentMethodQuerySet.as_manager()

    class Meta:
        verbose_name = _("payment method")
        verbose_name_plural = _("payment methods")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(is_default=True, removed_at__isnull=True),
                name="one_default_payment_method",
            ),
        ]

    def __str__(self) -> str:
        return self.label


class MoneyQuerySet(models.QuerySet[Row]):
    """Rows that belong to a person and to the organisation that issued them."""

    def visible_to(self, user: "User") -> Self:
        """A person's own, and for staff those of the organisations whose money they look after."""
        if user.is_superuser:
            return self
        model: Any = self.model
        owner, organisation = model.owner_path, model.organisation_path
        theirs = Q(**{f"{organisation}__in": user.organisations_as(*MONEY_READERS)})
        return self.filter(Q(**{owner: user}) | theirs) if owner else self.filter(theirs)


class PaymentQuerySet(MoneyQuerySet["Payment"]):
    """Payments by what is to be done about them."""

    def due_by(self, at: "datetime.datetime") -> Self:
        """Those whose next attempt has come."""
        waiting = [PaymentState.CAPTURING, PaymentState.DUE]
        return self.filter(state__in=waiting, next_attempt_at__lte=at)

    def owed_by(self, user_id: int) -> Self:
        """What a person owes after the card refused, also while it is being asked again."""
        again = Q(state=PaymentState.CAPTURING, attempts__gt=0)
        return self.filter(Q(state=PaymentState.DUE) | again, payer_id=user_id)


class Payment(PublicModel):
    """One charge: authorised at the start, collected at the end, perhaps partly given back."""

    moves: ClassVar = {"state": PAYMENT_MOVES}
    owner_path: ClassVar = "payer"
    organisation_path: ClassVar = "organisation"

    organisation = models.ForeignKey(
        "mobility.Organisation", models.PROTECT, related_name="+", verbose_name=_("organisation")
    )
    payer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="payments",
        verbose_name=_("paid by"),
    )
    method = models.ForeignKey(
        PaymentMethod, models.SET_NULL, null=True, related_name="+", verbose_name=_("method")
    )
    purpose = models.CharField(_("purpose"), max_length=12, choices=Purpose)
    purpose_ref = models.UUIDField(_("purpose reference"))
    state = models.CharField(
        _("state"), max_length=12, choices=PaymentState, default=PaymentState.AUTHORISED
    )
    currency = models.CharField(_("currency"), max_length=3, default=EUR)
    authorised_cents = models.PositiveIntegerField(_("authorised"))
    amount_cents = models.PositiveIntegerField(_("amount"), default=0)
    captured_cents = models.PositiveIntegerField(_("collected"), default=0)
    refunded_cents = models.PositiveIntegerField(_("given back"), default=0)
    provider = models.CharField(_("provider"), max_length=20)
    provider_ref = models.CharField(_("provider reference"), max_length=80)
    failure = models.CharField(_("failure"), max_length=40, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt at"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"))
    captured_at = models.DateTimeField(_("collected at"), null=True, blank=True)

    objects = PaymentQuerySet.as_manager()

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["purpose", "purpose_ref"], name="one_payment_a_purpose"
            ),
            models.CheckConstraint(
                condition=Q(refunded_cents__lte=F("captured_cents")), name="refunds_within_captured"
            ),
            models.CheckConstraint(
                condition=Q(captured_cents__lte=F("amount_cents")), name="captured_within_amount"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["next_attempt_at"],
                name="payment_next_attempt",
                condition=Q(state__in=["capturing", "due"]),
            ),
            models.Index(fields=["payer"], name="payment_debt", condition=Q(state="due")),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} {self.public_id}"


class Refund(PublicModel):
    """Money given back; the sum of a payment's refunds never exceeds what was collected."""

    moves: ClassVar = {"state": REFUND_MOVES}
    owner_path: ClassVar = "payment__payer"
    organisation_path: ClassVar = "payment__organisation"

    payment = models.ForeignKey(
        Payment, models.PROTECT, related_name="refunds", verbose_name=_("payment")
    )
    state = models.CharField(
        _("state"), max_length=12, choices=RefundState, default=RefundState.REQUESTED
    )
    cents = models.PositiveIntegerField(_("amount"))
    reason = models.CharField(_("reason"), max_length=200)
    by = models.CharField(_("by"), max_length=100)
    requested_at = models.DateTimeField(_("requested at"))
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)

    objects = MoneyQuerySet["Refund"].as_manager()

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(cents__gt=0), name="refund_is_money"),
        ]

    def __str__(self) -> str:
        return f"{self.payment} −{self.cents}"


class LedgerAccount(models.Model):
    """One account of one organisation in one currency."""

    owner_path: ClassVar = ""
    organisation_path: ClassVar = "organisation"

    organisation = models.ForeignKey(
        "mobility.Organisation",
        models.PROTECT,
        related_name="ledger_accounts",
        verbose_name=_("organisation"),
    )
    kind = models.CharField(_("kind"), max_length=16, choices=AccountKind)
    currency = models.CharField(_("currency"), max_length=3, default=EUR)

    objects = MoneyQuerySet["LedgerAccount"].as_manager()

    class Meta:
        verbose_name = _("ledger account")
        verbose_name_plural = _("ledger accounts")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisation", "kind", "currency"], name="ledger_account_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organisation} · {self.get_kind_display()}"


class LedgerTransaction(models.Model):
    """Entries that belong together and balance; a deferred trigger checks it at commit."""

    owner_path: ClassVar = ""
    organisation_path: ClassVar = "organisation"

    organisation = models.ForeignKey(
        "mobility.Organisation", models.PROTECT, related_name="+", verbose_name=_("organisation")
    )
    deed = models.CharField(_("deed"), max_length=20)
    ref = models.CharField(_("reference"), max_length=80)
    at = models.DateTimeField(_("at"))

    objects = MoneyQuerySet["LedgerTransaction"].as_manager()

    class Meta:
        verbose_name = _("ledger transaction")
        verbose_name_plural = _("ledger transactions")
        constraints: ClassVar = [
            # The same deed is booked once, whoever retries it.
            models.UniqueConstraint(fields=["deed", "ref"], name="ledger_deed_once"),
        ]

    def __str__(self) -> str:
        return f"{self.deed} {self.ref}"


class LedgerEntry(models.Model):
    """Money that moved: append-only, a trigger refuses UPDATE and DELETE. Debit is positive."""

    owner_path: ClassVar = ""
    organisation_path: ClassVar = "transaction__organisation"

    transaction = models.ForeignKey(
        LedgerTransaction, models.PROTECT, related_name="entries", verbose_name=_("transaction")
    )
    account = models.ForeignKey(
        LedgerAccount, models.PROTECT, related_name="entries", verbose_name=_("account")
    )
    cents = models.IntegerField(_("cents"))
    vat_rate = models.DecimalField(
        _("VAT rate"), max_digits=5, decimal_places=4, null=True, blank=True
    )

    objects = MoneyQuerySet["LedgerEntry"].as_manager()

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger entries")
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(cents=0), name="ledger_entry_is_money"),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.cents:+d}"


class DocumentSeries(models.Model):
    """The last number given in an organisation's year; its row lock makes the numbers gapless."""

    organisation = models.ForeignKey(
        "mobility.Organisation", models.PROTECT, related_name="+", verbose_name=_("organisation")
    )
    kind = models.CharField(_("kind"), max_length=12, choices=DocumentKind)
    year = models.PositiveSmallIntegerField(_("year"))
    last_number = models.PositiveIntegerField(_("last number"), default=0)

    class Meta:
        verbose_name = _("document series")
        verbose_name_plural = _("document series")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisation", "kind", "year"], name="document_series_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organisation} {self.kind} {self.year}"


class Receipt(PublicModel):
    """A numbered document as it was handed out; never changed, corrected only by a credit note."""

    owner_path: ClassVar = "payment__payer"
    organisation_path: ClassVar = "organisation"

    organisation = models.ForeignKey(
        "mobility.Organisation", models.PROTECT, related_name="+", verbose_name=_("organisation")
    )
    payment = models.ForeignKey(
        Payment, models.PROTECT, related_name="documents", verbose_name=_("payment")
    )
    kind = models.CharField(_("kind"), max_length=12, choices=DocumentKind)
    year = models.PositiveSmallIntegerField(_("year"))
    sequence = models.PositiveIntegerField(_("sequence"))
    number = models.CharField(_("number"), max_length=60)
    issued_at = models.DateTimeField(_("issued at"))
    currency = models.CharField(_("currency"), max_length=3, default=EUR)
    lines = models.JSONField(_("lines"))
    vat = models.JSONField(_("VAT"))
    total_cents = models.IntegerField(_("total"))

    objects = MoneyQuerySet["Receipt"].as_manager()

    class Meta:
        verbose_name = _("receipt")
        verbose_name_plural = _("receipts")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisation", "kind", "year", "sequence"], name="document_number_once"
            ),
            models.UniqueConstraint(
                fields=["payment"],
                condition=Q(kind=DocumentKind.RECEIPT),
                name="one_receipt_a_payment",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class ProviderOperation(models.Model):
    """What the local provider did under one key; a repeated key gets the same answer."""

    key = models.CharField(_("key"), max_length=120, unique=True)
    deed = models.CharField(_("deed"), max_length=12)
    reference = models.CharField(_("reference"), max_length=80, db_index=True)
    token = models.CharField(_("token"), max_length=80)
    cents = models.PositiveIntegerField(_("cents"))
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("provider operation")
        verbose_name_plural = _("provider operations")

    def __str__(self) -> str:
        return f"{self.deed} {self.reference} {self.outcome}"
