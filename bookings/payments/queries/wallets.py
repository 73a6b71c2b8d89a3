"""A person's credit and how it came about."""

from django.db.models import QuerySet

from bookings.payments.models import LedgerAccount, LedgerEntry
from bookings.payments.states import AccountKind
from mobility.core.money import EUR


def wallet_balance(*, user_id: int, organisation_id: int, currency: str = EUR) -> int:
    """The cents that a person can spend at an organisation; what is set aside is not among them."""
    mine = LedgerAccount.objects.filter(
        user_id=user_id,
        organisation_id=organisation_id,
        currency=currency,
        kind=AccountKind.WALLET,
    )
    return mine.values_list("balance_cents", flat=True).first() or 0


def wallets_of(*, user_id: int) -> list[tuple[LedgerAccount, int]]:
    """A person's accounts of credit with their organisations, each with the cents set aside."""
    accounts = LedgerAccount.objects.filter(
        user_id=user_id, kind__in=[AccountKind.WALLET, AccountKind.WALLET_HELD]
    ).select_related("organisation")
    held = {
        (account.organisation_id, account.currency): account.balance_cents
        for account in accounts
        if account.kind == AccountKind.WALLET_HELD
    }
    return [
        (account, held.get((account.organisation_id, account.currency), 0))
        for account in accounts
        if account.kind == AccountKind.WALLET
    ]


def wallet_movements(*, user_id: int, organisation_id: int) -> QuerySet[LedgerEntry]:
    """Every movement of a person's credit at an organisation, with its transaction."""
    return LedgerEntry.objects.filter(
        account__user_id=user_id,
        account__organisation_id=organisation_id,
        account__kind=AccountKind.WALLET,
    ).select_related("transaction", "account")
