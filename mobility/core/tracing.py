"""One request id that follows a deed: request → log lines → outbox → Celery → log lines."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

# django-structlog binds this key for requests and tasks; we read and pass on the same one.
REQUEST_ID = "request_id"


def current_request_id() -> str:
    """The id of the request, message or event being worked on; empty outside of one."""
    return str(structlog.contextvars.get_contextvars().get(REQUEST_ID) or "")[:64]


def bind_request_id(request_id: str) -> None:
    """Continue under `request_id`: every log line from here on carries it."""
    structlog.contextvars.bind_contextvars(**{REQUEST_ID: request_id})


@contextmanager
def request_scope(request_id: str) -> Iterator[None]:
    """Work on behalf of an earlier request: its id is bound inside the block and put back after it."""
    with structlog.contextvars.bound_contextvars(**{REQUEST_ID: request_id}):
        yield
