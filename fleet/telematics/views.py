"""The telemetry door: devices report in batches and hear what they must do.

A plain Django view: this is the busiest address of the house, and it needs nothing of what the
API's classes bring.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

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


@csrf_exempt  # devices carry a bearer secret and no cookie
@require_POST
def telemetry(request: HttpRequest) -> HttpResponse:
    """POST /api/v1/telemetry"""
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
