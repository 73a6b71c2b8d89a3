"""Doors of documents: list, read, print, and ask for an invoice."""

from typing import Any, cast

from django.http import HttpResponse
from django.shortcuts import render
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from bookings.payments.documents import queries, services
from bookings.payments.documents.pdf import render_pdf
from bookings.payments.documents.sheet import sheet_of
from bookings.payments.documents.wire import (
    BillingDetailsSerializer,
    DocumentSerializer,
    document_body,
)
from bookings.payments.models import BillingDetails, Receipt
from mobility.accounts.models import User
from mobility.core import clock
from mobility.core.api import ScopedViewSet, WriteView
from mobility.core.errors import NotFound


class ReceiptViewSet(ScopedViewSet):
    """Receipts, invoices and credit notes: one's own, and for staff those of their organisation."""

    queryset = queries.shown_documents()
    serializer_class = DocumentSerializer

    @extend_schema(responses=DocumentSerializer(many=True))
    def list(self, request: Request) -> Response:
        """The person's own documents, newest first."""
        user = cast("User", request.user)
        page: Any = self.paginate_queryset(queries.shown_documents().filter(payment__payer=user))
        return self.get_paginated_response([document_body(row) for row in page])

    @extend_schema(responses=DocumentSerializer)
    def retrieve(self, request: Request, public_id: str) -> Response:
        """One document."""
        return Response(document_body(self._document()))

    @extend_schema(
        responses={(200, "text/html"): OpenApiResponse(OpenApiTypes.STR, "A page to print.")}
    )
    def page(self, request: Request, public_id: str) -> HttpResponse:
        """The document as a page, in the language of the request."""
        sheet = sheet_of(self._document())
        return _private(render(request._request, "payments/document.html", {"sheet": sheet}))

    @extend_schema(
        responses={(200, "application/pdf"): OpenApiResponse(OpenApiTypes.BINARY, "A PDF file.")}
    )
    def pdf(self, request: Request, public_id: str) -> HttpResponse:
        """The document as a PDF file, in the language of the request."""
        document = self._document()
        name = document.number.replace("/", "-")
        answer = HttpResponse(render_pdf(sheet_of(document)), content_type="application/pdf")
        answer["Content-Disposition"] = f'inline; filename="{name}.pdf"'
        return _private(answer)

    @extend_schema(request=None, responses={201: DocumentSerializer})
    def invoice(self, request: Request, public_id: str) -> Response:
        """Have an invoice made out to one's billing details, in place of this receipt."""
        receipt, user = self._document(), cast("User", request.user)
        if receipt.payment.payer_id != user.pk:
            raise NotFound
        made = services.make_invoice(receipt=receipt, at=clock.now(), by=user.principal)
        shown = queries.shown_documents().get(pk=made.pk)
        return Response(document_body(shown), status=status.HTTP_201_CREATED)

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:  # noqa: FBT001, FBT002 - DRF's
        """A browser that asks for a page or a PDF file gets it, though errors are JSON."""
        return super().perform_content_negotiation(
            request, force=force or self.action in ("page", "pdf")
        )

    def _document(self) -> Receipt:
        return cast("Receipt", self.get_object())


class BillingDetailsView(WriteView):
    """The person's own billing details."""

    @extend_schema(responses=BillingDetailsSerializer)
    def get(self, request: Request) -> Response:
        """As they are kept; 404 before the first time."""
        kept = BillingDetails.objects.filter(user=cast("User", request.user)).first()
        if kept is None:
            raise NotFound
        return Response(services.customer_of(kept))

    @extend_schema(request=BillingDetailsSerializer, responses=BillingDetailsSerializer)
    def put(self, request: Request) -> Response:
        """Keep them; the check digits are verified, and every fault is named."""
        form = BillingDetailsSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user = cast("User", request.user)
        kept = services.keep_billing_details(
            user_id=user.pk, details=form.validated_data, at=clock.now(), by=user.principal
        )
        return Response(services.customer_of(kept))


def _private(answer: HttpResponse) -> HttpResponse:
    """Nobody's cache keeps what one person paid."""
    answer["Cache-Control"] = "private, no-store"
    return answer
