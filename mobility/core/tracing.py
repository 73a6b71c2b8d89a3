"""One request id that follows a deed: request → log lines → outbox → Celery → log lines."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from structlog.contextvars import _CONTEXT_VARS, STRUCTLOG_KEY_PREFIX

# django-structlog binds this key for requests and tasks; we read and pass on the same one.
REQUEST_ID = "request_id"
# Where structlog keeps it: to ask structlog for one value is to have it collect all of them, and
# every row of the audit trail and of the outbox asks.
_KEY = f"{STRUCTLOG_KEY_PREFIX}{REQUEST_ID}"


def current_request_id() -> str:
    """The id of the request, message or event being worked on; empty outside of one."""
    kept = _CONTEXT_VARS.get(_KEY)
    found = None if kept is None else kept.get(None)
    # structlog marks what is not bound any more by an ellipsis.
    return "" if found is None or found is Ellipsis else str(found)[:64]


def bind_request_id(request_id: str) -> None:
    """Continue under `request_id`: every log line from here on carries it."""
    structlog.contextvars.bind_contextvars(**{REQUEST_ID: request_id})


@contextmanager
def request_scope(request_id: str) -> Iterator[None]:
    """Work on behalf of an earlier request: its id is bound inside the block and put back after it."""
    with structlog.contextvars.bound_contextvars(**{REQUEST_ID: request_id}):
        yield
