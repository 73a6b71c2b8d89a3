"""The web process as its server calls it: devices reach their door past all middleware."""

import io
import json
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from pytest_django import Settings

from mobility import wsgi
from mobility.core import direct


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
    answer = application(environ, start_response)
    body = b"".join(answer)
    answer.close()
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
