"""What staff should know of a session before they trust it."""

from __future__ import annotations

from charging.sessions.models import ChargingSession
from charging.sessions.states import Flag


def add_flag(session: ChargingSession, flag: Flag) -> None:
    """Note it once."""
    if flag.value not in session.flags:
        session.flags = [*session.flags, flag.value]


def drop_flag(session: ChargingSession, flag: Flag) -> None:
    """It turned out otherwise."""
    session.flags = [other for other in session.flags if other != flag.value]
