"""The telemetry door: devices report in batches and hear what they must do.

This is the busiest address of the house, and it needs nothing of what the API's classes bring: the
class is there for the API's description, and hands every request straight to a plain function.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.views import APIView

from fleet.telematics import mapping, wire
from fleet.telematics.services import accept, batches, credentials
from mobility.core import clock
from mobility.core.errors import DomainError, Unavailable
from mobility.core.problems import CONTENT_TYPE, problem

if TYPE_CHECKING:
    import datetime


class TelemetryView(APIView):
    """POST /api/v1/telemetry"""

    authentication_classes = ()
    permission_classes = (AllowAny,)  # a device shows its own credential, see `credentials`

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
                description=(
                    "Bearer dev_… of one device, as printed by `manage.py add_device`, or int_… of"
                    " an operator's backend, as printed by `manage.py add_integration`."
                ),
            ),
        ],
        request={"application/json": wire.inlined_schema(wire.BatchIn)},
        responses={(202, "application/json"): wire.inlined_schema(wire.ReportOut)},
    )
    def post(self, request: HttpRequest) -> HttpResponse:
        """Report up to 5,000 points and answers to commands; hear the commands that wait.

        The points are safe when 202 comes; 503 means that none was taken: keep them and try again
        after `Retry-After`. Points may come late, twice and in any order. Gzip and zstd are
        welcome. What cannot be taken is listed in `rejected` with its place and the reason, and
        costs nothing of the rest. A backend names for each point the `device` by its serial or the
        `vehicle` by its code; a device names nothing.
        """
        return telemetry(request)


class OnlyPost(DomainError):
    """Reports are posted; there is nothing here to read."""

    code = "method_not_allowed"
    status = 405
    message = _("Reports are sent by POST.")


def telemetry(request: HttpRequest) -> HttpResponse:
    """Accept or refuse one report."""
    if request.method != "POST":
        refused = _refuse(OnlyPost())
        refused["Allow"] = "POST"
        return refused
    try:
        answer = _accept(request, at=clock.now())
    except DomainError as refusal:
        return _refuse(refusal)
    return _json(msgspec.json.encode(answer), status=202)


def _accept(request: HttpRequest, *, at: datetime.datetime) -> wire.ReportOut:
    secret = _secret(request)
    if secret.startswith(credentials.INTEGRATION_PREFIX):
        return _accept_batch(request, secret, at=at)
    credential = credentials.recognise(secret=secret, at=at)
    report = wire.read_report(_body(request))
    mapping.require_something(report)
    accepted = accept.accept_report(
        credential=credential,
        points=wire.pack(report.points),
        acks=mapping.acknowledgements(report),
        at=at,
    )
    return mapping.report_answer(report, accepted)


def _accept_batch(request: HttpRequest, secret: str, *, at: datetime.datetime) -> wire.ReportOut:
    integration = credentials.recognise_integration(secret=secret, at=at)
    report = wire.read_batch(_body(request))
    mapping.require_something(report)
    accepted = batches.accept_batch(
        integration=integration,
        names=mapping.names(report),
        points=wire.pack(report.points),
        acks=mapping.acknowledgements(report),
        at=at,
    )
    return mapping.batch_answer(report, accepted)


def _secret(request: HttpRequest) -> str:
    shown: str = request.META.get("HTTP_AUTHORIZATION", "")
    scheme, _space, secret = shown.partition(" ")
    known = (credentials.DEVICE_PREFIX, credentials.INTEGRATION_PREFIX)
    if scheme.lower() != "bearer" or not secret.startswith(known):
        raise credentials.DeviceUnknown
    return secret.strip()


def _body(request: HttpRequest) -> bytes:
    try:
        body = _chunks(request) if _is_chunked(request) else _counted(request)
    except (UnreadablePostError, OSError) as error:
        raise wire.ReportMalformed(reason="the connection broke off") from error
    return wire.unpack(body, encoding=request.META.get("HTTP_CONTENT_ENCODING", ""))


def _counted(request: HttpRequest) -> bytes:
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError as error:
        raise wire.ReportMalformed(reason="Content-Length") from error
    if length > wire.MAX_BODY_BYTES:
        raise wire.ReportTooLarge
    return request.body


def _is_chunked(request: HttpRequest) -> bool:
    return "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower()


def _chunks(request: HttpRequest) -> bytes:
    """A body that does not say its length: Django would take it for empty, the server reads it."""
    body: bytes = request.environ["wsgi.input"].read(wire.MAX_BODY_BYTES + 1)  # type: ignore[attr-defined]  # every request here comes by WSGI
    if len(body) > wire.MAX_BODY_BYTES:
        raise wire.ReportTooLarge
    return body


def _refuse(refusal: DomainError) -> HttpResponse:
    body = problem(
        code=refusal.code,
        status=refusal.status,
        detail=refusal.detail,
        **refusal.extra,
    )
    response = _json(msgspec.json.encode(body), status=refusal.status, content_type=CONTENT_TYPE)
    if isinstance(refusal, Unavailable):
        response["Retry-After"] = str(mapping.REPORT_AGAIN_S)
    if isinstance(refusal, credentials.DeviceUnknown):
        response["WWW-Authenticate"] = 'Bearer realm="telemetry"'
    if isinstance(refusal, wire.EncodingUnsupported):
        response["Accept-Encoding"] = "gzip, zstd"
    return response


def _json(body: bytes, *, status: int, content_type: str = "application/json") -> HttpResponse:
    response = HttpResponse(body, status=status, content_type=content_type)
    # Many devices read an answer only by its stated length.
    response["Content-Length"] = str(len(body))
    return response
