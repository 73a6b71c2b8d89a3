"""Reads about charging sessions."""

from __future__ import annotations

from charging.sessions.models import ChargingSession


def session_pk(*, public_id: str) -> int:
    """The row behind a session's public id; raises ChargingSession.DoesNotExist."""
    pk: int = ChargingSession.objects.values_list("pk", flat=True).get(public_id=public_id)
    return pk
