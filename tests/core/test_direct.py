"""The web process as its server calls it: devices reach their door past all middleware."""

import io
import json
from typing import Any

import pytest
from django.core import signals
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse
from pytest_django import Settings

from mobility import wsgi
from mobility.accounts import services as accounts
from mobility.accounts.models import User
from mobility.core import clock, direct
from mobility.core.principals import SYSTEM


@pytest.fixture
def token() -> str:
    giulia = User.objects.create_user("giulia@example.org")
    _row, secret = accounts.issue_token(user=giulia, label="app", at=clock.now(), by=SYSTEM)
    return secret


def ask(application: Any, path: str, **headers: str) -> tuple[str, dict[str, str], dict[str, Any]]:
    """POST nothing to a WSGI application; status, headers and JSON of its answer."""
    heard: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]], _error: Any = None) -> None:
        heard.update(status=status, headers=dict(headers))

    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "CONTENT_LENGTH": "0",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "wsgi.url_scheme": "http",
        **headers,
    }
    # As Django's own test client does: the connection is the test's, and not to be closed.
    signals.request_started.disconnect(close_old_connections)
    signals.request_finished.disconnect(close_old_connections)
    try:
        answer = application(environ, start_response)
        body = b"".join(answer)
        answer.close()
    finally:
        signals.request_started.connect(close_old_connections)
        signals.request_finished.connect(close_old_connections)
    return heard["status"], heard["headers"], json.loads(body)


@pytest.mark.django_db
def test_a_device_is_refused_with_a_problem_in_its_language_and_no_cookie() -> None:
    status, headers, body = ask(
        wsgi.application, "/api/v1/telemetry", HTTP_ACCEPT_LANGUAGE="en;q=0.9"
    )
    assert status.startswith("401")
    assert headers["WWW-Authenticate"].startswith("Bearer")
    assert body["code"] == "device_unknown"
    assert body["detail"] == "This device is not known here."
    assert body["request_id"]
    assert "Set-Cookie" not in headers


@pytest.mark.django_db
def test_every_other_address_is_served_as_usual() -> None:
    status, headers, body = ask(wsgi.application, "/api/v1/vehicles/none/faults")
    assert status.startswith(("401", "403"))
    assert "Content-Security-Policy" in headers
    assert body["code"]


def test_a_defect_is_told_without_its_trace(capsys: pytest.CaptureFixture[str]) -> None:
    def broken(_request: HttpRequest) -> HttpResponse:
        raise ZeroDivisionError("the secret of the house")

    status, _headers, body = ask(direct.DirectHandler(broken), "/api/v1/telemetry")
    assert status.startswith("500")
    assert body["code"] == "internal_error"
    assert "secret of the house" not in json.dumps(body)


def test_a_credential_in_the_clear_is_refused_where_https_is_demanded(
    settings: Settings,
) -> None:
    settings.SECURE_SSL_REDIRECT = True
    door = direct.DirectHandler(lambda _request: HttpResponse(b"{}"))
    assert ask(door, "/api/v1/telemetry")[2]["code"] == "https_required"
    assert ask(door, "/api/v1/telemetry", **{"wsgi.url_scheme": "https"})[0].startswith("200")


@pytest.mark.django_db
def test_a_program_with_a_token_passes_all_that_is_not_for_browsers(token: str) -> None:
    status, headers, body = ask(
        wsgi.application,
        "/api/v1/reservations",
        HTTP_AUTHORIZATION=f"Bearer {token}",
        HTTP_ACCEPT_LANGUAGE="it",
    )
    assert status.startswith("400")
    assert body["request_id"]
    assert headers["Content-Language"] == "it"
    _status, usual, _body = ask(wsgi.application, "/api/v1/reservations/none/cancel")
    # A browser shows no document that it has asked for with a token.
    assert set(usual) - set(headers) == {"Content-Security-Policy"}
    for name in ("X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy"):
        assert headers[name] == usual[name]
    assert "Set-Cookie" not in headers


@pytest.mark.django_db
def test_a_programs_call_meets_the_same_refusals(token: str, settings: Settings) -> None:
    shown = {"HTTP_AUTHORIZATION": f"Bearer {token}"}
    status, _headers, body = ask(wsgi.application, "/api/v1/nothing", **shown)
    assert (status[:3], body["code"]) == ("404", "not_found")
    status, _headers, body = ask(wsgi.application, "/api/v1/trips\0", **shown)
    assert status.startswith("404")
    too_long = str(settings.LONGEST_BODY + 1)
    status, _headers, body = ask(
        wsgi.application, "/api/v1/reservations", CONTENT_LENGTH=too_long, **shown
    )
    assert (status[:3], body["code"]) == ("413", "body_too_large")
    wrong = {"HTTP_AUTHORIZATION": f"Bearer {token}x"}
    status, _headers, body = ask(wsgi.application, "/api/v1/reservations", **wrong)
    assert (status[:3], body["code"]) == ("401", "token_refused")


@pytest.mark.django_db
def test_who_also_brings_a_cookie_is_judged_as_a_browser(token: str) -> None:
    asked: list[str] = []

    def application(name: str) -> Any:
        return lambda _environ, _start: asked.append(name)

    door = direct.by_token(
        "usr_", programs=application("programs"), otherwise=application("otherwise")
    )
    shown = {"HTTP_AUTHORIZATION": f"Bearer {token}", "PATH_INFO": "/api/v1/trips"}
    for environ in (
        shown,
        shown | {"HTTP_COOKIE": "sessionid=1"},
        shown | {"PATH_INFO": "/account/"},
        shown | {"HTTP_AUTHORIZATION": "Bearer int_1"},
        {"PATH_INFO": "/api/v1/trips"},
    ):
        door(environ, print)
    assert asked == ["programs", "otherwise", "otherwise", "otherwise", "otherwise"]


def test_every_middleware_for_browsers_is_one_of_the_chain(settings: Settings) -> None:
    assert set(settings.MIDDLEWARE) >= direct.FOR_BROWSERS
