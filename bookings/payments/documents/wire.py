"""The shapes of documents and billing details in the API."""

from typing import Any

from django.urls import reverse
from rest_framework import serializers

from bookings.payments.models import Receipt
from bookings.payments.wire import ReceiptSerializer, receipt_body


class BillingDetailsSerializer(serializers.Serializer[Any]):
    """Whom invoices are made out to."""

    name = serializers.CharField(max_length=120)
    tax_code = serializers.RegexField(
        r"^[0-9A-Z]*$", max_length=16, allow_blank=True, default="", help_text="Codice fiscale."
    )
    vat_number = serializers.RegexField(
        r"^[0-9A-Z]*$", max_length=14, allow_blank=True, default="", help_text="Partita IVA."
    )
    address = serializers.CharField(max_length=120)
    postcode = serializers.CharField(max_length=12)
    town = serializers.CharField(max_length=60)
    province = serializers.RegexField(r"^([A-Z]{2})?$", allow_blank=True, default="")
    country = serializers.RegexField(
        r"^[A-Z]{2}$", default="IT", help_text="ISO 3166, two letters."
    )
    sdi_code = serializers.RegexField(r"^([0-9A-Z]{7})?$", allow_blank=True, default="")
    pec = serializers.EmailField(allow_blank=True, default="")


class DocumentSerializer(ReceiptSerializer):
    """A numbered document as it was handed out."""

    refers_to = serializers.CharField(
        allow_null=True, help_text="Number of the document that this one reduces or replaces."
    )
    customer = serializers.DictField(
        child=serializers.CharField(allow_blank=True), help_text="Empty on a plain receipt."
    )
    html = serializers.CharField(help_text="Address of the page to print.")
    pdf = serializers.CharField(help_text="Address of the PDF file.")


def document_body(document: Receipt) -> dict[str, Any]:
    """A document (loaded as by `documents.queries.shown_documents`)."""
    return {
        **receipt_body(document),
        "refers_to": document.corrects.number if document.corrects else None,
        "customer": document.customer,
        "html": reverse("api:receipt-html", args=[document.public_id]),
        "pdf": reverse("api:receipt-pdf", args=[document.public_id]),
    }
