"""What drf-spectacular cannot know of each door: how it refuses, and that calls may be repeated.

Every refusal of the house is a problem (RFC 9457) with a stable `code`. Which statuses a door can answer
follows from what it takes: an address with an id may not be found, a body may be wrong, a deed may be
in conflict with the world.
"""

from collections.abc import Iterator
from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import get_language
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request

WRITING = frozenset({"post", "put", "patch", "delete"})
PROBLEM = "application/problem+json"
TELEMETRY = "/api/v1/telemetry"

_PROBLEM_SCHEMA = {
    "type": "object",
    "description": "Why not, for programs (`code`) and for people (`detail`). RFC 9457.",
    "properties": {
        "type": {"type": "string", "examples": ["/errors/vehicle_taken"]},
        "title": {"type": "string", "examples": ["Vehicle taken"]},
        "status": {"type": "integer", "examples": [409]},
        "code": {
            "type": "string",
            "description": "Stable; go by this one.",
            "examples": ["vehicle_taken"],
        },
        "detail": {"type": "string", "description": "A sentence in the reader's language."},
        "request_id": {"type": "string", "description": "Finds the call in our logs."},
        "errors": {"description": "With `invalid_fields`: what is wrong with each field."},
    },
    "required": ["type", "title", "status", "code", "detail", "request_id"],
    "additionalProperties": True,
}
_WORDS = {
    400: "Something in the request cannot be read: a field, a parameter, a page.",
    401: "Nobody is signed in, or the token is no good.",
    402: "The payment was refused, or the bank wants to ask the person first (`action`).",
    403: "Not yours to do.",
    404: "Not there, or not yours to see.",
    409: "Not possible at this moment.",
    410: "It was there, and its time is over.",
    413: "The body is too long.",
    415: "The body is of another kind than this door reads.",
    422: "Well written, and impossible.",
    429: "Too many calls; `Retry-After` says how many seconds to wait.",
    503: "Not available right now; the same call may succeed later.",
}
_READING_STATUSES = (400, 403, 404, 410, 429, 503)
_WRITING_STATUSES = (400, 401, 402, 403, 404, 409, 410, 413, 415, 422, 429, 503)
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": (
        "Any string of 1 to 128 printable characters, new for each deed. The same call with the same key "
        "acts once and gets the same answer, with `Idempotency-Replayed: true`."
    ),
    "schema": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]+$"},
    "example": "0197a3c2-7d1e-7c55-9b1e-2f1f6f0f5a11",
}


def complete(
    result: dict[str, Any], generator: Any, request: Any, public: Any, **kwargs: Any
) -> dict[str, Any]:  # fmt: skip
    """Add to every operation its refusals, and to every writing one the `Idempotency-Key`."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = _PROBLEM_SCHEMA
    components["responses"] = {f"Problem{status}": _response(status) for status in _WORDS}
    components.setdefault("parameters", {})["IdempotencyKey"] = _IDEMPOTENCY_KEY
    for path, method, operation in _operations(result):
        for status in _refusals(method, operation):
            reference = {"$ref": f"#/components/responses/Problem{status}"}
            operation["responses"].setdefault(str(status), reference)
        if method in WRITING and path != TELEMETRY:
            parameters = operation.setdefault("parameters", [])
            parameters.append({"$ref": "#/components/parameters/IdempotencyKey"})
    return result


def _operations(result: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in result["paths"].items():
        for method, operation in item.items():
            if isinstance(operation, dict) and "responses" in operation:
                yield path, method, operation


def _refusals(method: str, operation: dict[str, Any]) -> list[int]:
    statuses = list(_WRITING_STATUSES if method in WRITING else _READING_STATUSES)
    if operation.get("parameters"):
        statuses.append(422)
    # `security: [{}]` or none: the door is open to everybody, but a token that is no good is refused.
    if operation.get("security"):
        statuses.append(401)
    return sorted(set(statuses))


def _response(status: int) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": _WORDS[status],
        "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status in {429, 503}:
        answer["headers"] = {
            "Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait."}
        }
    return answer


class SchemaView(SpectacularAPIView):
    """The schema, written once by each process for each format and language: it takes a second."""

    _written: ClassVar[dict[tuple[str, str], HttpResponse]] = {}

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """The same for everybody, so that what was written for one is good for all."""
        written: Any = super()
        language = request.GET.get("lang") or get_language() or settings.LANGUAGE_CODE
        if language not in dict(settings.LANGUAGES):
            return written.get(request, *args, **kwargs)
        key = (request.accepted_renderer.format, language)
        if key not in self._written:
            answer = written.get(request, *args, **kwargs)
            self.finalize_response(request, answer).render()
            self._written[key] = _plain(answer)
        return _plain(self._written[key])


def _plain(answer: HttpResponse) -> HttpResponse:
    """What it says, without what the session and the middleware add to each answer."""
    copy = HttpResponse(answer.content, content_type=answer["Content-Type"])
    for name in {"Content-Disposition"} & set(answer.headers):
        copy[name] = answer[name]
    return copy
