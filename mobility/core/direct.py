"""Shorter ways in than the whole chain of middleware, for who does not come with a browser.

Sessions, cookies, forms and messages are for people with browsers. At a door that devices knock at all
day they would cost several times what the view itself does, and of a program's call a good part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog
from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import translation
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from mobility.core import ids, tracing
from mobility.core.problems import CONTENT_TYPE, problem, server_error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    View = Callable[[HttpRequest], HttpResponse]
    Application = Callable[[dict[str, Any], Callable[..., Any]], Any]

log = structlog.get_logger(__name__)

# What only a session, its cookie, a form or a document that a browser shows can need. Whatever else
# comes into the chain, calls of programs pass too.
FOR_BROWSERS = frozenset(
    {
        "whitenoise.middleware.WhiteNoiseMiddleware",
        "csp.middleware.CSPMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "allauth.account.middleware.AccountMiddleware",
        "mobility.accounts.second_factor.SecondFactorMiddleware",
        "mobility.core.middleware.EditorMiddleware",
    }
)


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


class ProgramHandler(WSGIHandler):
    """Django's handler with all middleware but what is `FOR_BROWSERS`.

    For calls that show a token of a person and no cookie: the API never asks a session about those.
    """

    def load_middleware(self: Any, *_args: Any, **_options: Any) -> None:
        """As Django loads it; all of ours can be called synchronously."""
        view: list[Any] = []
        template: list[Any] = []
        exception: list[Any] = []
        handler: Any = convert_exception_to_response(self._get_response)
        for path in reversed(settings.MIDDLEWARE):
            if path in FOR_BROWSERS:
                continue
            middleware = import_string(path)(handler)
            if hasattr(middleware, "process_view"):
                view.insert(0, middleware.process_view)
            if hasattr(middleware, "process_template_response"):
                template.append(middleware.process_template_response)
            if hasattr(middleware, "process_exception"):
                exception.append(middleware.process_exception)
            handler = convert_exception_to_response(middleware)
        self._view_middleware, self._exception_middleware = view, exception
        self._template_response_middleware = template
        self._middleware_chain = handler


def by_token(prefix: str, *, programs: Application, otherwise: Application) -> Application:
    """Calls of the API with a token of this `prefix` and without a cookie by `programs`, all others as usual."""
    shown = f"Bearer {prefix}"

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        short = (
            environ.get("HTTP_AUTHORIZATION", "").startswith(shown)
            and "HTTP_COOKIE" not in environ
            and environ.get("PATH_INFO", "").startswith("/api/")
        )
        return (programs if short else otherwise)(environ, start_response)

    return application


def by_path(doors: Mapping[str, Application], *, otherwise: Application) -> Application:
    """The application that serves these exact paths by doors of their own, all others as usual."""

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        return doors.get(environ.get("PATH_INFO", ""), otherwise)(environ, start_response)

    return application


def _problem(status: int, code: str, detail: str) -> HttpResponse:
    body = problem(code=code, status=status, detail=detail)
    return JsonResponse(body, status=status, content_type=CONTENT_TYPE)
