"""The books: accounts, transactions that balance, entries that nobody changes."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bookings.payments.models.scoping import MoneyQuerySet
from bookings.payments.states import AccountKind
from mobility.core.money import EUR, format_money


class LedgerAccount(models.Model):
    """One account of one organisation in one currency, some of one customer or one provider.

    `balance_cents` is what a customer's credit comes to. A trigger keeps it with every entry, for
    these accounts alone: the row of an account that everybody books on would be fought over.
    """

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
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("customer"),
    )
    provider = models.CharField(_("provider"), max_length=20, blank=True)
    balance_cents = models.BigIntegerField(_("credit"), default=0)

    objects = MoneyQuerySet["LedgerAccount"].as_manager()

    class Meta:
        verbose_name = _("ledger account")
        verbose_name_plural = _("ledger accounts")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisation", "user", "kind", "currency", "provider"],
                name="ledger_account_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(balance_cents__gte=0), name="credit_never_below_zero"
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
    cents = models.IntegerField(_("amount"))
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
        return f"{self.account} {format_money(self.cents, self.currency)}"

    @property
    def currency(self) -> str:
        """The account's."""
        return self.account.currency
