"""The shapes of payment methods, payments and documents in the API."""

from typing import Any

from rest_framework import serializers

from bookings.payments.models import Payment, PaymentMethod, Receipt

# No single payment comes near it, and sums with it still fit the columns.
MOST_CENTS = 1_000_000_000


class PaymentMethodSerializer(serializers.Serializer[Any]):
    """A card on file."""

    id = serializers.UUIDField()
    provider = serializers.CharField()
    # DRF names a field attribute of its own "label"; as a declared field it is only a field.
    label = serializers.CharField()  # type: ignore[assignment]
    is_default = serializers.BooleanField()
    created_at = serializers.DateTimeField()


class AddMethodSerializer(serializers.Serializer[Any]):
    """The provider's token for a card."""

    token = serializers.CharField(max_length=80, help_text="For the local provider: demo-ok.")


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


class DocumentLineSerializer(serializers.Serializer[Any]):
    """One line of a document."""

    kind = serializers.CharField()
    quantity = serializers.CharField()
    unit = serializers.CharField()
    cents = serializers.IntegerField()
    vat_rate = serializers.CharField()
    params = serializers.DictField()


class DocumentVatSerializer(serializers.Serializer[Any]):
    """The share of the document under one VAT rate."""

    rate = serializers.CharField()
    net_cents = serializers.IntegerField()
    vat_cents = serializers.IntegerField()
    gross_cents = serializers.IntegerField()


class IssuerSerializer(serializers.Serializer[Any]):
    """Who issued the document."""

    name = serializers.CharField()
    vat_number = serializers.CharField()
    address = serializers.CharField()


class ReceiptSerializer(serializers.Serializer[Any]):
    """A numbered document with its VAT."""

    number = serializers.CharField()
    kind = serializers.CharField()
    issued_at = serializers.DateTimeField()
    issuer = IssuerSerializer()
    lines = DocumentLineSerializer(many=True)
    vat = DocumentVatSerializer(many=True)
    total_cents = serializers.IntegerField()
    currency = serializers.CharField()
    payment = PaymentSerializer()


class RefundRequestSerializer(serializers.Serializer[Any]):
    """How much to give back, and why."""

    cents = serializers.IntegerField(min_value=1, max_value=MOST_CENTS)
    reason = serializers.CharField(max_length=200)


class RefundSerializer(serializers.Serializer[Any]):
    """A refund."""

    id = serializers.UUIDField()
    state = serializers.CharField()
    cents = serializers.IntegerField()
    reason = serializers.CharField()


def method_body(method: PaymentMethod) -> dict[str, Any]:
    """A card on file."""
    return {
        "id": method.public_id,
        "provider": method.provider,
        "label": method.label,
        "is_default": method.is_default,
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
    }


def receipt_body(receipt: Receipt) -> dict[str, Any]:
    """A document (loaded with its payment, the payment's method and the organisation)."""
    issuer = receipt.organisation
    return {
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
