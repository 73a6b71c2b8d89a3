"""A WSGI door for one view without middleware: for addresses that devices knock at all day.

Sessions, cookies, languages and security headers are for people with browsers; at a door for devices
they would cost several times what the view itself does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import translation
from django.utils.translation import gettext as _

from mobility.core import ids, tracing
from mobility.core.problems import CONTENT_TYPE, problem, server_error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    View = Callable[[HttpRequest], HttpResponse]
    Application = Callable[[dict[str, Any], Callable[..., Any]], Any]

log = structlog.get_logger(__name__)


class DirectHandler(WSGIHandler):
    """Django's handler with one view and nothing around it but a request id and a last resort."""

    def __init__(self, view: View) -> None:
        self.view = view
        super().__init__()

    def load_middleware(self, *_args: Any, **_options: Any) -> None:
        """The chain is the view itself."""
        self._middleware_chain = self._answer

    def _answer(self, request: HttpRequest) -> HttpResponse:
        # A thread keeps the language of whoever it served last.
        translation.activate(translation.get_language_from_request(request))
        with tracing.request_scope(str(ids.uuid7())):
            if settings.SECURE_SSL_REDIRECT and not request.is_secure():
                # Redirecting would be too late: the credential has crossed the net in the clear.
                return _problem(403, "https_required", _("Use https."))
            try:
                return self.view(request)
            except Exception:
                log.exception("direct.view_failed", path=request.path)
                return server_error(request)


def by_path(doors: Mapping[str, Application], *, otherwise: Application) -> Application:
    """The application that serves these exact paths by doors of their own, all others as usual."""

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        return doors.get(environ.get("PATH_INFO", ""), otherwise)(environ, start_response)

    return application


def _problem(status: int, code: str, detail: str) -> HttpResponse:
    body = problem(code=code, status=status, detail=detail)
    return JsonResponse(body, status=status, content_type=CONTENT_TYPE)
