"""Tells the database who edits, so that its triggers can write it down."""

from collections.abc import Callable

from django.db import connection
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from mobility.core.tracing import current_request_id

STAFF_PAGES = "/admin/"


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
