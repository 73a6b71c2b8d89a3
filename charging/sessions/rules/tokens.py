"""Pure rules of tokens: how they are compared, and what is said about one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
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


@dataclass(frozen=True, slots=True)
class TokenPlaces:
    """Where a token may charge: ids of sites and of EVSEs; empty both, everywhere."""

    sites: tuple[int, ...] = ()
    evses: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.sites or self.evses)


def judge_place(
    verdict: AuthorizationVerdict,
    *,
    places: TokenPlaces,
    site_id: int,
    evses: Mapping[int, int],
    evse_number: int | None = None,
) -> AuthorizationVerdict:
    """An accepted token's verdict at a station of `site_id` with `evses` (number by id).

    1. Everywhere at an allowed site; elsewhere only at allowed EVSEs (OCPP 2.0.1 C01.FR.18–22).
    2. Nowhere at this station, or not at the EVSE it was shown for: NotAtThisLocation.
    """
    if not verdict.accepted or not places or site_id in places.sites:
        return verdict
    allowed = sorted(number for pk, number in evses.items() if pk in places.evses)
    elsewhere = evse_number is not None and evse_number not in allowed
    if not allowed or elsewhere:
        return replace(verdict, status=AuthorizationStatus.NOT_HERE)
    return replace(verdict, evse_numbers=() if len(allowed) == len(evses) else tuple(allowed))


def may_stop(*, uid: str, group: str, is_master: bool, owner_uid: str, owner_group: str) -> bool:
    """Whether a token may end another's session: its own, its group's, or as a master pass."""
    return is_master or uid == owner_uid or (bool(group) and group == owner_group)
