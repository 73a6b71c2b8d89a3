"""What every request passes: an address that can be looked for, and the name of who edits."""

from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django_structlog.middlewares import RequestMiddleware

from mobility.core.limits import client_address
from mobility.core.problems import not_found, too_long
from mobility.core.tracing import current_request_id

STAFF_PAGES = "/admin/"


class RequestLogMiddleware(RequestMiddleware):
    """Gives every request its id and its lines in the log."""

    @classmethod
    def bind_ip(cls, request: HttpRequest) -> None:
        """The address that limits count, not one that a client made up in a header."""
        structlog.contextvars.bind_contextvars(ip=client_address(request))


class PlainAddressMiddleware:
    """Answers 404 to addresses with a NUL byte: PostgreSQL stores none, and even to look for one fails."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """Keep the next one in line."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Look at the path, and at the query as it was sent."""
        if "\x00" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            return not_found(request)
        return self.get_response(request)


class BodyLimitMiddleware:
    """Refuses bodies that are longer than their door of the API takes, before anything of them is read."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """Keep the next one in line."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Nothing here: the door must be known first."""
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        """The refusal, or None to go on."""
        match = request.resolver_match
        if match is None or match.namespace != "api":
            return None
        return too_long() if _length(request) > _longest(request, match.view_name) else None


def _length(request: HttpRequest) -> int:
    # A body without an announced length is not read at all.
    announced = request.META.get("CONTENT_LENGTH") or "0"
    return int(announced) if announced.isdecimal() else 0


def _longest(request: HttpRequest, name: str) -> int:
    if request.content_type == "multipart/form-data":
        return int(settings.LONGEST_UPLOAD)
    return int(settings.LONG_BODIES.get(name, settings.LONGEST_BODY))


class EditorMiddleware:
    """On staff pages, names the person to PostgreSQL for the time of the request.

    Only there: elsewhere services write the trail themselves, and residents' calls save the statement.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """Keep the next one in line."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Name the editor, answer, and forget the name again: connections outlive requests."""
        principal = getattr(request.user, "principal", "")
        if not principal or not request.path.startswith(STAFF_PAGES):
            return self.get_response(request)
        _name_editor(principal, current_request_id())
        try:
            return self.get_response(request)
        finally:
            _name_editor("", "")


def _name_editor(principal: str, request_id: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('mobility.principal', %s, false), set_config('mobility.request_id', %s, false)",
            [principal, request_id],
        )
