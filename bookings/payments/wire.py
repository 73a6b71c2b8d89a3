"""The shapes of payment methods, payments and documents in the API."""

from typing import Any

from rest_framework import serializers

from bookings.payments.models import (
    Fee,
    LedgerAccount,
    LedgerEntry,
    Payment,
    PaymentMethod,
    Receipt,
    Refund,
)
from bookings.payments.states import WALLET
from bookings.pricing.wire import LineSerializer, VatSerializer
from mobility.core.texts import pick

# No single payment comes near it, and sums with it still fit the columns.
MOST_CENTS = 1_000_000_000


class PaymentMethodSerializer(serializers.Serializer[Any]):
    """A card on file."""

    id = serializers.UUIDField()
    provider = serializers.CharField()
    # DRF names a field attribute of its own "label"; as a declared field it is only a field.
    label = serializers.CharField()  # type: ignore[assignment]
    is_default = serializers.BooleanField()
    credit = serializers.BooleanField(help_text="A person's own prepaid credit, not a card.")
    created_at = serializers.DateTimeField()


class AddMethodSerializer(serializers.Serializer[Any]):
    """The provider's token for a card."""

    token = serializers.CharField(max_length=80, help_text="For the local provider: demo-ok.")


class ActionSerializer(serializers.Serializer[Any]):
    """Where the bank asks the person: a page to open, or a secret for the provider's own form."""

    url = serializers.CharField()
    client_secret = serializers.CharField()


class PaymentSerializer(serializers.Serializer[Any]):
    """One charge."""

    id = serializers.UUIDField()
    state = serializers.CharField()
    purpose = serializers.CharField()
    purpose_id = serializers.UUIDField()
    currency = serializers.CharField()
    authorised_cents = serializers.IntegerField()
    amount_cents = serializers.IntegerField()
    captured_cents = serializers.IntegerField()
    refunded_cents = serializers.IntegerField()
    method = serializers.CharField(allow_null=True)
    failure = serializers.CharField()
    action = ActionSerializer(
        allow_null=True, help_text="What the person has to do at the bank; then confirm or pay."
    )


class IssuerSerializer(serializers.Serializer[Any]):
    """Who issued the document."""

    name = serializers.CharField()
    vat_number = serializers.CharField()
    address = serializers.CharField()


class ReceiptSerializer(serializers.Serializer[Any]):
    """A numbered document with its VAT."""

    id = serializers.UUIDField()
    number = serializers.CharField()
    kind = serializers.CharField()
    issued_at = serializers.DateTimeField()
    issuer = IssuerSerializer()
    lines = LineSerializer(many=True)
    vat = VatSerializer(many=True)
    total_cents = serializers.IntegerField()
    currency = serializers.CharField()
    payment = PaymentSerializer()


class PaySerializer(serializers.Serializer[Any]):
    """With which of the person's methods, if not the default one."""

    method = serializers.UUIDField(required=False)


class RefundRequestSerializer(serializers.Serializer[Any]):
    """How much to give back, why, and whether as credit."""

    cents = serializers.IntegerField(min_value=1, max_value=MOST_CENTS)
    reason = serializers.CharField(max_length=200)
    to_wallet = serializers.BooleanField(
        default=False, help_text="As credit at the organisation instead of back to the card."
    )


class RefundSerializer(serializers.Serializer[Any]):
    """A refund; `proposed` waits for a second person."""

    id = serializers.UUIDField()
    payment_id = serializers.UUIDField()
    state = serializers.CharField()
    way = serializers.CharField()
    cents = serializers.IntegerField()
    reason = serializers.CharField()
    asked_by = serializers.CharField()
    decided_by = serializers.CharField()
    requested_at = serializers.DateTimeField()


class DecisionSerializer(serializers.Serializer[Any]):
    """Why it was decided so."""

    reason = serializers.CharField(max_length=200)


class WalletOrganisationSerializer(serializers.Serializer[Any]):
    """Whose services the credit buys."""

    id = serializers.UUIDField()
    name = serializers.CharField()


class WalletSerializer(serializers.Serializer[Any]):
    """A person's credit at one organisation."""

    organisation = WalletOrganisationSerializer()
    currency = serializers.CharField()
    balance_cents = serializers.IntegerField(help_text="What can be spent now.")
    held_cents = serializers.IntegerField(help_text="Set aside for rides under way.")


class MovementSerializer(serializers.Serializer[Any]):
    """One movement of credit: positive when it grew."""

    at = serializers.DateTimeField()
    deed = serializers.CharField(
        help_text="sale (a top-up), promise, promise_raised, capture, release, refund, refund_hold."
    )
    ref = serializers.CharField()
    cents = serializers.IntegerField()


class TopUpSerializer(serializers.Serializer[Any]):
    """How much credit to buy, and with which card if not the default one."""

    cents = serializers.IntegerField(min_value=1, max_value=MOST_CENTS)
    method = serializers.UUIDField(required=False)


class FeeSerializer(serializers.Serializer[Any]):
    """A fee, with its reason and evidence."""

    id = serializers.UUIDField()
    state = serializers.CharField()
    kind = serializers.CharField()
    title = serializers.CharField()
    about = serializers.UUIDField()
    cents = serializers.IntegerField()
    currency = serializers.CharField()
    reason = serializers.CharField()
    evidence = serializers.ListField(child=serializers.UUIDField())
    noticed_at = serializers.DateTimeField(allow_null=True)
    charge_after = serializers.DateTimeField(allow_null=True)
    dispute = serializers.CharField()
    decision = serializers.CharField()
    payment_id = serializers.UUIDField(allow_null=True)


class DisputeSerializer(serializers.Serializer[Any]):
    """Why the fee is wrong."""

    text = serializers.CharField(max_length=1000)


class DebtSerializer(serializers.Serializer[Any]):
    """What somebody with the address of a debt sees."""

    state = serializers.CharField()
    purpose = serializers.CharField()
    organisation = serializers.CharField()
    amount_cents = serializers.IntegerField()
    currency = serializers.CharField()
    created_at = serializers.DateTimeField()


class PayByLinkSerializer(serializers.Serializer[Any]):
    """The provider's token for the card that pays."""

    card = serializers.CharField(max_length=80, help_text="For the local provider: demo-ok.")


def refund_body(refund: Refund) -> dict[str, Any]:
    """A refund (loaded with its payment)."""
    return {
        "id": refund.public_id,
        "payment_id": refund.payment.public_id,
        "state": refund.state,
        "way": refund.way,
        "cents": refund.cents,
        "reason": refund.reason,
        "asked_by": refund.by,
        "decided_by": refund.approver,
        "requested_at": refund.requested_at,
    }


def wallet_body(account: LedgerAccount, held_cents: int) -> dict[str, Any]:
    """Credit (loaded with its organisation)."""
    organisation = account.organisation
    return {
        "organisation": {"id": organisation.public_id, "name": str(organisation)},
        "currency": account.currency,
        "balance_cents": account.balance_cents,
        "held_cents": held_cents,
    }


def movement_body(entry: LedgerEntry) -> dict[str, Any]:
    """A movement of credit (loaded with its transaction); the ledger has credit as a negative."""
    booked = entry.transaction
    return {"at": booked.at, "deed": booked.deed, "ref": booked.ref, "cents": -entry.cents}


def fee_body(fee: Fee) -> dict[str, Any]:
    """A fee (loaded with its kind and payment)."""
    return {
        "id": fee.public_id,
        "state": fee.state,
        "kind": fee.kind.code,
        "title": pick(fee.kind.title),
        "about": fee.about,
        "cents": fee.cents,
        "currency": fee.currency,
        "reason": fee.reason,
        "evidence": fee.evidence,
        "noticed_at": fee.noticed_at,
        "charge_after": fee.charge_after,
        "dispute": fee.dispute,
        "decision": fee.decision,
        "payment_id": fee.payment.public_id if fee.payment else None,
    }


def debt_body(payment: Payment) -> dict[str, Any]:
    """A debt for whoever has its address (loaded with the organisation)."""
    return {
        "state": payment.state,
        "purpose": payment.purpose,
        "organisation": str(payment.organisation),
        "amount_cents": payment.amount_cents,
        "currency": payment.currency,
        "created_at": payment.created_at,
    }


def method_body(method: PaymentMethod) -> dict[str, Any]:
    """A card on file."""
    return {
        "id": method.public_id,
        "provider": method.provider,
        "label": method.label,
        "is_default": method.is_default,
        "credit": method.provider == WALLET,
        "created_at": method.created_at,
    }


def payment_body(payment: Payment) -> dict[str, Any]:
    """A payment (loaded with its method)."""
    return {
        "id": payment.public_id,
        "state": payment.state,
        "purpose": payment.purpose,
        "purpose_id": payment.purpose_ref,
        "currency": payment.currency,
        "authorised_cents": payment.authorised_cents,
        "amount_cents": payment.amount_cents,
        "captured_cents": payment.captured_cents,
        "refunded_cents": payment.refunded_cents,
        "method": payment.method.label if payment.method else None,
        "failure": payment.failure,
        "action": payment.action,
    }


def receipt_body(receipt: Receipt) -> dict[str, Any]:
    """A document (loaded with its payment, the payment's method and the organisation)."""
    issuer = receipt.organisation
    return {
        "id": receipt.public_id,
        "number": receipt.number,
        "kind": receipt.kind,
        "issued_at": receipt.issued_at,
        "issuer": {
            "name": issuer.legal_name or str(issuer),
            "vat_number": issuer.vat_number,
            "address": issuer.address,
        },
        "lines": receipt.lines,
        "vat": receipt.vat,
        "total_cents": receipt.total_cents,
        "currency": receipt.currency,
        "payment": payment_body(receipt.payment),
    }
