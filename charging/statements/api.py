"""Doors to records, statements and signed values: an operator's own, and a driver's own."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from charging.sessions import services
from charging.sessions.api import own_station
from charging.sessions.models import ChargeRecord, ChargingSession, MeterKey, SignedValue
from charging.statements.export import csv_rows, ocpi_rows, transparency_file
from charging.statements.pdf import statement_pdf
from charging.statements.queries import Month, statements_of
from charging.statements.wire import (
    CreditIn,
    MeterKeyIn,
    MeterKeyOut,
    MonthQuery,
    RecordOut,
    RecordsQuery,
    SessionCorrectionIn,
    SignedValueOut,
    StatementOut,
)
from charging.stations.api import OPERATORS, own_operator
from charging.stations.models import Connector, Evse
from charging.stations.scoping import operated_by
from charging.stations.wire import CommandOut
from mobility.accounts.models import Organisation, User
from mobility.core import clock, ids
from mobility.core.api import KEY_HEADER, ReadView, ScopedViewSet, WriteView
from mobility.core.texts import pick

_RECORDS = ChargeRecord.objects.select_related("session", "credits")
_SHAPES = {
    "csv": (csv_rows, "text/csv; charset=utf-8", "csv"),
    "ocpi": (ocpi_rows, "application/json", "json"),
}


class RecordViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """GET /api/v1/charging/records[/{id}]"""

    queryset = _RECORDS
    serializer_class = RecordOut
    permission_classes = [OPERATORS]

    @extend_schema(request=CreditIn, responses={201: RecordOut})
    @action(detail=True, methods=["post"])
    def credit(self, request: Request, public_id: UUID) -> Response:
        """Take a record back whole; the credit is a record of its own."""
        record = cast("ChargeRecord", self.get_object())
        asked = CreditIn(data=request.data)
        asked.is_valid(raise_exception=True)
        credit = services.credit_record(
            record_id=record.pk,
            reason=asked.validated_data["reason"],
            at=clock.now(),
            by=cast("User", request.user).principal,
        )
        return Response(RecordOut(credit).data, status=status.HTTP_201_CREATED)


class RecordsFileView(ReadView):
    """GET /api/v1/charging/records-file?month=2026-05&shape=csv|ocpi"""

    permission_classes = [OPERATORS]

    @extend_schema(
        parameters=[RecordsQuery],
        responses={
            (200, "text/csv"): OpenApiTypes.BINARY,
            (200, "application/json"): OpenApiTypes.OBJECT,
        },
    )
    def get(self, request: Request) -> HttpResponseBase:
        """An operator's records of a month: CSV, or JSON in the fields of OCPI's CDR."""
        asked = RecordsQuery(data=request.query_params)
        asked.is_valid(raise_exception=True)
        operator, month = _asked_month(request, asked.validated_data)
        start, end = month.span
        records = _RECORDS.filter(organisation=operator).issued_between(start, end).order_by("pk")
        shape = asked.validated_data["shape"]
        rows, kind, ending = _SHAPES[shape]
        answer = StreamingHttpResponse(rows(records.iterator(chunk_size=500)), content_type=kind)
        answer["Content-Disposition"] = f'attachment; filename="records-{month}.{ending}"'
        return answer


class StatementView(ReadView):
    """GET /api/v1/charging/statements?month=2026-05"""

    permission_classes = [OPERATORS]

    @extend_schema(
        parameters=[MonthQuery],
        responses=inline_serializer("Statements", {"results": StatementOut(many=True)}),
    )
    def get(self, request: Request) -> Response:
        """An operator's month, one statement a currency; it equals the sum of its records."""
        operator, month = _asked_month(request, _month_query(request))
        rows = statements_of(organisation_id=operator.pk, month=month)
        return Response({"results": [row.as_json() for row in rows]})


class StatementPdfView(ReadView):
    """GET /api/v1/charging/statements-file?month=2026-05"""

    permission_classes = [OPERATORS]

    @extend_schema(
        parameters=[MonthQuery], responses={(200, "application/pdf"): OpenApiTypes.BINARY}
    )
    def get(self, request: Request) -> HttpResponse:
        """The same as PDF."""
        operator, month = _asked_month(request, _month_query(request))
        content = statement_pdf(
            operator=pick(operator.name),
            month=month,
            statements=statements_of(organisation_id=operator.pk, month=month),
        )
        answer = HttpResponse(content, content_type="application/pdf")
        answer["Content-Disposition"] = f'attachment; filename="statement-{month}.pdf"'
        return answer


class MyRecordsView(ReadView):
    """GET /api/v1/charging/my-records"""

    permission_classes = [IsAuthenticated]

    @extend_schema(responses=inline_serializer("MyRecords", {"results": RecordOut(many=True)}))
    def get(self, request: Request) -> Response:
        """The latest 100 records of one's own charges, newest first."""
        owner = cast("User", request.user).principal
        mine = _RECORDS.filter(session__owner_ref=owner).order_by("-pk")[:100]
        return Response({"results": RecordOut(mine, many=True).data})


class SignedValuesView(ReadView):
    """GET /api/v1/charging/sessions/{id}/signed-values"""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        responses=inline_serializer("SignedValues", {"results": SignedValueOut(many=True)})
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        """What the meter signed, for the operator of the station and whoever charged."""
        values = _signed(cast("User", request.user), public_id)
        return Response({"results": SignedValueOut(values, many=True).data})


class TransparencyView(ReadView):
    """GET /api/v1/charging/sessions/{id}/signed-values-file"""

    permission_classes = [IsAuthenticated]

    @extend_schema(responses={(200, "application/xml"): OpenApiTypes.BINARY})
    def get(self, request: Request, public_id: UUID) -> HttpResponse:
        """The same as the transparency software opens it."""
        content = transparency_file(_signed(cast("User", request.user), public_id))
        answer = HttpResponse(content, content_type="application/xml; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="signed-{public_id}.xml"'
        return answer


class TariffCommandView(WriteView):
    """POST /api/v1/charging/connectors/{id}/tariff"""

    permission_classes = [OPERATORS]

    @extend_schema(request=None, responses={201: CommandOut})
    def post(self, request: Request, public_id: UUID) -> Response:
        """Give a 2.1 station the tariff of this connector; follow the command to see if it took it."""
        user = cast("User", request.user)
        connector = get_object_or_404(
            Connector.objects.filter(operated_by(user, site="evse__station__site")),
            public_id=public_id,
        )
        command = services.tell_tariff(
            connector_id=connector.pk,
            idempotency_key=f"{user.principal}:{request.headers.get(KEY_HEADER) or ids.uuid7()}"[
                :128
            ],
            at=clock.now(),
            by=user.principal,
        )
        return Response(CommandOut(command).data, status=status.HTTP_201_CREATED)


class CorrectionView(WriteView):
    """POST /api/v1/charging/sessions/{id}/correction"""

    permission_classes = [OPERATORS]

    @extend_schema(request=SessionCorrectionIn, responses={201: RecordOut})
    def post(self, request: Request, public_id: UUID) -> Response:
        """Bill a settled session again: its record is taken back, and another stands in its place."""
        session = _operated_session(cast("User", request.user), public_id)
        asked = SessionCorrectionIn(data=request.data)
        asked.is_valid(raise_exception=True)
        record = services.correct_session(
            session_id=session.pk,
            at=clock.now(),
            by=cast("User", request.user).principal,
            **asked.validated_data,
        )
        return Response(RecordOut(record).data, status=status.HTTP_201_CREATED)


class VerificationView(WriteView):
    """POST /api/v1/charging/sessions/{id}/verification"""

    permission_classes = [OPERATORS]

    @extend_schema(
        request=None,
        responses=inline_serializer("Verified", {"results": SignedValueOut(many=True)}),
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        """Verify a session's signed values anew, with the keys that are known by now."""
        user = cast("User", request.user)
        session = _operated_session(user, public_id)
        services.verify_again(session_id=session.pk, at=clock.now(), by=user.principal)
        return Response({"results": SignedValueOut(_signed(user, public_id), many=True).data})


class MeterKeysView(WriteView):
    """/api/v1/charging/stations/{id}/meter-keys"""

    permission_classes = [OPERATORS]

    @extend_schema(
        responses=inline_serializer("MeterKeys", {"results": MeterKeyOut(many=True)}),
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        """The keys of a station's meters, newest first."""
        station = own_station(cast("User", request.user), public_id)
        keys = MeterKey.objects.filter(station=station).select_related("evse").order_by("-pk")
        return Response({"results": MeterKeyOut(keys, many=True).data})

    @extend_schema(request=MeterKeyIn, responses={201: MeterKeyOut})
    def post(self, request: Request, public_id: UUID) -> Response:
        """Enter the key that stands on a meter; it ends the one before."""
        user = cast("User", request.user)
        station = own_station(user, public_id)
        asked = MeterKeyIn(data=request.data)
        asked.is_valid(raise_exception=True)
        number = asked.validated_data.get("evse")
        evse = get_object_or_404(Evse, station=station, number=number) if number else None
        key = services.store_meter_key(
            station_id=station.pk,
            evse_id=evse.pk if evse else None,
            public_key=asked.validated_data["public_key"],
            at=clock.now(),
            by=user.principal,
        )
        return Response(MeterKeyOut(key).data, status=status.HTTP_201_CREATED)


def _month_query(request: Request) -> dict[str, Any]:
    asked = MonthQuery(data=request.query_params)
    asked.is_valid(raise_exception=True)
    return cast("dict[str, Any]", asked.validated_data)


def _asked_month(request: Request, asked: dict[str, Any]) -> tuple[Organisation, Month]:
    """The operator and the month asked for; 404 for an operator that one does not work for."""
    user = cast("User", request.user)
    operator = own_operator(user, slug=asked.get("organisation"))
    return operator, Month.read(asked["month"])


def _operated_session(user: User, public_id: UUID) -> ChargingSession:
    session: ChargingSession = get_object_or_404(
        ChargingSession.objects.visible_to(user), public_id=public_id
    )
    return session


def _signed(user: User, public_id: UUID) -> QuerySet[SignedValue]:
    """The signed values of a session one operates or charged; 404 for any other."""
    operated = ChargingSession.objects.visible_to(user).filter(public_id=public_id)
    mine = Q(public_id=public_id, owner_ref=user.principal)
    if not operated.exists() and not ChargingSession.objects.filter(mine).exists():
        raise Http404
    return (
        SignedValue.objects.filter(session__public_id=public_id)
        .select_related("key", "session")
        .order_by("at", "pk")
    )
