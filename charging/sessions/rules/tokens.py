"""Pure rules of tokens: how they are compared, and what is said about one."""

from __future__ import annotations

from datetime import datetime

from charging.sessions.facts import AuthorizationStatus, AuthorizationVerdict


def normal_uid(uid: str) -> str:
    """Tokens are compared without regard to case (OCPP 1.6 §7.28 CiString)."""
    return uid.strip().upper().replace("\x00", "")[:64]


def judge_token(
    *,
    blocked: bool,
    expires_at: datetime | None,
    group: str,
    at: datetime,
) -> AuthorizationVerdict:
    """The verdict on a known token: blocked before expired before accepted."""
    status = AuthorizationStatus.ACCEPTED
    if expires_at is not None and expires_at <= at:
        status = AuthorizationStatus.EXPIRED
    if blocked:
        status = AuthorizationStatus.BLOCKED
    return AuthorizationVerdict(status=status, expires_at=expires_at, group=group or None)
