"""The telemetry door: devices report in batches and hear what they must do.

This is the busiest address of the house, and it needs nothing of what the API's classes bring: the
class is there for the API's description, and hands every request straight to a plain function.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.views import APIView

from fleet.telematics import wire
from fleet.telematics.services import accept, devices
from mobility.core import clock
from mobility.core.errors import DomainError, Unavailable
from mobility.core.problems import CONTENT_TYPE, problem

if TYPE_CHECKING:
    from fleet.telematics.services.accept import AcceptedReport

REPORT_AGAIN_S = 5
# After a command the answer is awaited by a person in front of the vehicle.
REPORT_AGAIN_SOON_S = 1


class TelemetryView(APIView):
    """POST /api/v1/telemetry"""

    authentication_classes = ()
    permission_classes = (AllowAny,)  # a device shows its own credential, see `devices.recognise`

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Past everything that the base class would do."""
        return telemetry(request)

    @extend_schema(
        operation_id="telemetry_report",
        parameters=[
            OpenApiParameter(
                "Authorization",
                str,
                OpenApiParameter.HEADER,
                required=True,
                description="Bearer dev_… as printed by `manage.py add_device`.",
            ),
        ],
        request={"application/json": wire.inlined_schema(wire.ReportIn)},
        responses={(202, "application/json"): wire.inlined_schema(wire.ReportOut)},
    )
    def post(self, request: HttpRequest) -> HttpResponse:
        """Report up to 5,000 points and answers to commands; hear the commands that wait.

        The points are safe when 202 comes; 503 means that none was taken: keep them and try again
        after `Retry-After`. Points may come late, twice and in any order. Gzip is welcome.
        """
        return telemetry(request)


@require_POST
def telemetry(request: HttpRequest) -> HttpResponse:
    """Accept or refuse one report."""
    try:
        return _accept(request)
    except DomainError as refusal:
        return _refuse(refusal)


def _accept(request: HttpRequest) -> HttpResponse:
    at = clock.now()
    credential = devices.recognise(secret=_secret(request), at=at)
    points, acks, rejected = wire.read_report(_body(request))
    accepted = accept.accept_report(
        credential=credential,
        points=points,
        acks=[
            accept.Acknowledgement(command_id=str(ack.command), result=ack.result) for ack in acks
        ],
        at=at,
    )
    answer = wire.ReportOut(
        accepted=len(points),
        rejected=[*rejected, *_unknown_acks(accepted)],
        commands=[
            wire.CommandOut(one.id, one.sequence, one.kind, one.expires_at)
            for one in accepted.commands
        ],
        report_again_s=REPORT_AGAIN_SOON_S if accepted.commands else REPORT_AGAIN_S,
    )
    return _json(msgspec.json.encode(answer), status=202)


def _unknown_acks(accepted: AcceptedReport) -> list[wire.Rejected]:
    detail = "no such command for this vehicle"
    return [
        wire.Rejected(index=index, code="command_not_found", detail=detail, item="ack")
        for index in accepted.unknown_acks
    ]


def _secret(request: HttpRequest) -> str:
    scheme, _space, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.startswith(devices.SECRET_PREFIX):
        raise devices.DeviceUnknown
    return secret.strip()


def _body(request: HttpRequest) -> bytes:
    if int(request.META.get("CONTENT_LENGTH") or 0) > wire.MAX_BODY_BYTES:
        raise wire.ReportTooLarge
    body: bytes = request.body
    return wire.unzip(body) if request.headers.get("Content-Encoding") == "gzip" else body


def _refuse(refusal: DomainError) -> HttpResponse:
    body = problem(
        code=refusal.code,
        status=refusal.status,
        detail=refusal.detail,
        **refusal.extra,
    )
    response = _json(msgspec.json.encode(body), status=refusal.status, content_type=CONTENT_TYPE)
    if isinstance(refusal, Unavailable):
        response["Retry-After"] = str(REPORT_AGAIN_S)
    if isinstance(refusal, devices.DeviceUnknown):
        response["WWW-Authenticate"] = 'Bearer realm="telemetry"'
    return response


def _json(body: bytes, *, status: int, content_type: str = "application/json") -> HttpResponse:
    response = HttpResponse(body, status=status, content_type=content_type)
    # Many devices read an answer only by its stated length.
    response["Content-Length"] = str(len(body))
    return response
