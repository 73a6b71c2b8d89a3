"""Doors of operators to the devices at their sites, and of stations that bring a log."""

from __future__ import annotations

from typing import Any, BinaryIO, cast
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, status
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from charging.devices import services
from charging.devices.models import (
    DeviceEvent,
    DeviceVariable,
    FirmwareJob,
    LocalList,
    LogJob,
    Report,
    VariableMonitor,
)
from charging.devices.services.uploads import MAX_UPLOAD_BYTES
from charging.devices.wire import (
    DeviceEventOut,
    FirmwareJobOut,
    LocalListIn,
    LocalListOut,
    LogIn,
    LogJobOut,
    MonitorOut,
    ReportOut,
    ReportRowOut,
    VariableOut,
    VariablesIn,
)
from charging.sessions.api import own_station
from charging.stations.api import OPERATORS, command_key
from charging.stations.models import ChargingStation
from charging.stations.wire import CommandOut
from mobility.accounts.models import User
from mobility.core import clock
from mobility.core.api import ScopedViewSet, WriteView
from mobility.core.files.rules import FileTooLarge

_OF_STATION = extend_schema(
    parameters=[OpenApiParameter("station", OpenApiTypes.UUID, description="Of one station.")],
)


class OfStationViewSet(mixins.ListModelMixin, ScopedViewSet):
    """Rows that hang on stations; with `station` those of one."""

    permission_classes = [OPERATORS]

    def get_queryset(self) -> QuerySet[Any]:
        """One's own stations' rows."""
        mine: QuerySet[Any] = super().get_queryset()
        wanted = self.request.query_params.get("station")
        if wanted is None:
            return mine
        try:
            return mine.filter(station__public_id=UUID(wanted))
        except ValueError:
            raise ValidationError({"station": ["This is no id."]}) from None

    @_OF_STATION
    def list(self, request: Request) -> Response:
        """Newest first."""
        return super().list(request)


class VariableViewSet(OfStationViewSet):
    """GET /api/v1/charging/variables"""

    queryset = DeviceVariable.objects.select_related("station")
    serializer_class = VariableOut


class MonitorViewSet(OfStationViewSet):
    """GET /api/v1/charging/monitors"""

    queryset = VariableMonitor.objects.select_related("station")
    serializer_class = MonitorOut


class DeviceEventViewSet(OfStationViewSet):
    """GET /api/v1/charging/device-events"""

    queryset = DeviceEvent.objects.select_related("station")
    serializer_class = DeviceEventOut


class FirmwareJobViewSet(mixins.RetrieveModelMixin, OfStationViewSet):
    """GET /api/v1/charging/firmware-jobs[/{id}]"""

    queryset = FirmwareJob.objects.select_related("station", "command")
    serializer_class = FirmwareJobOut


class LogJobViewSet(mixins.RetrieveModelMixin, OfStationViewSet):
    """GET /api/v1/charging/log-jobs[/{id}]"""

    queryset = LogJob.objects.select_related("station", "command", "file")
    serializer_class = LogJobOut


class ReportViewSet(mixins.RetrieveModelMixin, OfStationViewSet):
    """GET /api/v1/charging/reports[/{id}]"""

    queryset = Report.objects.select_related("station", "command")
    serializer_class = ReportOut

    def get_serializer_class(self) -> type[ReportRowOut]:
        """The items only where one report is looked at."""
        return ReportOut if self.detail else ReportRowOut


class StationDoor(WriteView):
    """A door to one station of one's own."""

    permission_classes = [OPERATORS]

    def station(self, request: Request, public_id: UUID) -> ChargingStation:
        """The station, if this person may command it."""
        return own_station(cast("User", request.user), public_id)

    def key(self, request: Request) -> str:
        """What makes a repeated request the same, short enough for the portions' numbers."""
        return command_key(request, cast("User", request.user))


class StationVariablesView(StationDoor):
    """POST /api/v1/charging/stations/{id}/variables"""

    @extend_schema(request=VariablesIn, responses={201: CommandOut(many=True)})
    def post(self, request: Request, public_id: UUID) -> Response:
        """Read or change variables, in as many calls as the station needs: one command each."""
        wish = VariablesIn(data=request.data)
        wish.is_valid(raise_exception=True)
        rows = wish.validated_data["variables"]
        change = bool(rows) and "value" in rows[0]
        ask = services.write_variables if change else services.read_variables
        commands = ask(
            station=self.station(request, public_id),
            variables=rows,
            idempotency_key=self.key(request),
            at=clock.now(),
            by=cast("User", request.user).principal,
        )
        return Response(CommandOut(commands, many=True).data, status=status.HTTP_201_CREATED)


class StationLogsView(StationDoor):
    """POST /api/v1/charging/stations/{id}/logs"""

    @extend_schema(request=LogIn, responses={201: LogJobOut})
    def post(self, request: Request, public_id: UUID) -> Response:
        """Have the station bring its log; follow the job to see whether it did."""
        wish = LogIn(data=request.data)
        wish.is_valid(raise_exception=True)
        job = services.fetch_log(
            station=self.station(request, public_id),
            **wish.validated_data,
            idempotency_key=self.key(request),
            at=clock.now(),
            by=cast("User", request.user).principal,
        )
        return Response(LogJobOut(job).data, status=status.HTTP_201_CREATED)


class StationListView(StationDoor):
    """GET, POST /api/v1/charging/stations/{id}/local-list"""

    @extend_schema(responses=LocalListOut)
    def get(self, request: Request, public_id: UUID) -> Response:
        """The station's local list; 404 where nobody ever sent one."""
        station = self.station(request, public_id)
        row = get_object_or_404(LocalList.objects.select_related("station"), station=station)
        return Response(LocalListOut(row).data)

    @extend_schema(request=LocalListIn, responses=LocalListOut)
    def post(self, request: Request, public_id: UUID) -> Response:
        """Send the operator's cards to the station, now and with `managed` whenever they change."""
        wish = LocalListIn(data=request.data)
        wish.is_valid(raise_exception=True)
        station, by = self.station(request, public_id), cast("User", request.user).principal
        managed = wish.validated_data["managed"]
        if managed is not None:
            services.manage_list(station=station, managed=managed, at=clock.now(), by=by)
        if wish.validated_data["send"]:
            services.send_list(
                station=station,
                full=wish.validated_data["full"],
                idempotency_key=f"list:{self.key(request)}",
                at=clock.now(),
                by=by,
            )
        row = LocalList.objects.select_related("station").filter(station=station).first()
        if row is None:
            raise NotFound
        return Response(LocalListOut(row).data)


class RawParser(BaseParser):
    """Any body as it comes, unread."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        """The stream itself."""
        return stream


class UploadDoor(APIView):
    """PUT /api/v1/charging/uploads/{secret}/{name}"""

    authentication_classes = ()
    permission_classes = [AllowAny]
    parser_classes = [RawParser]

    @extend_schema(exclude=True)
    def put(self, request: Request, secret: str, name: str = "") -> Response:
        """Take the log that a station was asked for; the secret in the address is its permission."""
        announced = request.META.get("CONTENT_LENGTH") or ""
        # Without a length nobody knows when it ends.
        if not announced.isdecimal() or int(announced) > MAX_UPLOAD_BYTES:
            raise FileTooLarge
        content = cast("BinaryIO", request.data)
        services.take_upload(secret=secret, name=name, content=content, at=clock.now())
        return Response(status=status.HTTP_204_NO_CONTENT)
