"""Alive, ready, measured."""

import pytest
from django.test import Client

from mobility.core import clock, health


def test_alive_looks_at_nothing_else(client: Client) -> None:
    assert client.get("/healthz").content == b"ok\n"


@pytest.mark.django_db
def test_ready_names_what_is_missing_and_is_ready_when_nothing_is(
    client: Client, settings: object
) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert (
        answer.json()["checks"]["workers"]
        == "silent: default, telematics, sessions, planning, webhooks"
    )
    assert answer.json()["checks"]["database"] == "ok"
    for queue in ("default", "telematics", "sessions", "planning", "webhooks"):
        health.record_heartbeat(queue=queue, at=clock.now())
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (200, True)


@pytest.mark.django_db
def test_metrics_are_for_this_host_or_for_who_has_the_token(client: Client, settings) -> None:
    assert b"outbox_waiting_events 0.0" in client.get("/metrics").content
    assert client.get("/metrics", REMOTE_ADDR="203.0.113.9").status_code == 403
    settings.METRICS_TOKEN = "abc"
    assert client.get("/metrics").status_code == 403
    bearer = {"HTTP_AUTHORIZATION": "Bearer abc"}
    assert client.get("/metrics", REMOTE_ADDR="203.0.113.9", **bearer).status_code == 200
