"""RFC 9457 answers: every refusal of the API is `application/problem+json` with a stable code."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions, status
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from mobility.core.errors import DomainError
from mobility.core.tracing import current_request_id

CONTENT_TYPE = "application/problem+json"


class ProblemRenderer(JSONRenderer):
    """JSON under the media type of problems."""

    media_type = CONTENT_TYPE
    format = "problem"


def problem(*, code: str, status: int, detail: str, **extra: Any) -> dict[str, Any]:
    """The body of a problem; `extra` members stand beside the standard ones."""
    return {
        "type": f"/errors/{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "code": code,
        "detail": detail,
        "request_id": current_request_id(),
        **extra,
    }


def problem_response(exc: DomainError) -> Response:
    """The answer for a domain error, for views that must keep an effect although they refuse."""
    body = problem(code=exc.code, status=exc.status, detail=exc.detail, **exc.extra)
    response = Response(body, status=exc.status, content_type=CONTENT_TYPE)
    if exc.status == status.HTTP_503_SERVICE_UNAVAILABLE:
        response["Retry-After"] = str(exc.extra.get("retry_after_s", 5))
    return response


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's door for exceptions; unknown ones return None and end as a plain 500 without a trace."""
    if isinstance(exc, DomainError):
        return problem_response(exc)
    if isinstance(exc, Http404):
        exc = exceptions.NotFound()
    elif isinstance(exc, PermissionDenied):
        exc = exceptions.PermissionDenied()
    if not isinstance(exc, exceptions.APIException):
        return None
    response = Response(_api_problem(exc), status=exc.status_code, content_type=CONTENT_TYPE)
    if getattr(exc, "auth_header", None):
        response["WWW-Authenticate"] = exc.auth_header  # type: ignore[attr-defined]
    if getattr(exc, "wait", None):
        response["Retry-After"] = str(int(exc.wait) + 1)  # type: ignore[attr-defined]
    return response


def _api_problem(exc: exceptions.APIException) -> dict[str, Any]:
    if isinstance(exc, exceptions.ValidationError):
        return problem(
            code="invalid_fields",
            status=exc.status_code,
            detail=_("Some fields are not right; see errors."),
            errors=exc.detail,
        )
    codes = exc.get_codes()
    return problem(
        code=codes if isinstance(codes, str) else exc.default_code,
        status=exc.status_code,
        detail=str(exc.detail) if isinstance(exc.detail, str) else str(exc.default_detail),
    )


@csrf_exempt
def not_found(request: HttpRequest | Request, exception: Exception | None = None) -> JsonResponse:
    """404 for addresses below /api/ that do not exist."""
    body = problem(code="not_found", status=404, detail=_("There is nothing at this address."))
    return JsonResponse(body, status=404, content_type=CONTENT_TYPE)


def too_long() -> JsonResponse:
    """413 for a body that is longer than its door takes; it is not read."""
    body = problem(
        code="body_too_large", status=413, detail=_("This is too long. Send less at once.")
    )
    return JsonResponse(body, status=413, content_type=CONTENT_TYPE)


def server_error(request: HttpRequest) -> JsonResponse:
    """500: the request id finds the log; nothing inner leaves the house."""
    body = problem(
        code="internal_error",
        status=500,
        detail=_(
            "Something went wrong on our side. Please try again; quote the request id if it stays."
        ),
    )
    return JsonResponse(body, status=500, content_type=CONTENT_TYPE)
