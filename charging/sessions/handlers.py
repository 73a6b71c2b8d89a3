"""What charging does when a session ended."""

from __future__ import annotations

from datetime import datetime

from charging.sessions.events import SessionEnded
from charging.sessions.queries import session_pk
from charging.sessions.services import settle_session
from mobility.core import outbox


@outbox.handles(SessionEnded)
def on_session_ended(event: SessionEnded, *, at: datetime) -> None:
    """Settle it; one that still waits for messages is found by the sweep."""
    settle_session(session_id=session_pk(public_id=event.session_id), at=at)
