"""Writing tokens: make sure one is there, block it, let it charge again."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from charging.sessions.models import Token
from charging.sessions.rules import normal_uid
from charging.sessions.states import TokenKind, TokenState
from mobility.core import audit
from mobility.core.errors import Conflict, Invalid, NotFound
from mobility.core.principals import SYSTEM, Principal
from mobility.core.transitions import move


class TokenMalformed(Invalid):
    """The identifier is empty or too long."""

    code = "token_malformed"
    message = _("A token identifier has 1 to 36 characters.")


class TokenTaken(Conflict):
    """The identifier belongs to somebody else."""

    code = "token_taken"
    message = _("This token belongs to somebody else.")


class NoSuchToken(NotFound):
    """No token has this identifier."""

    code = "no_such_token"
    message = _("There is no such token.")


@transaction.atomic
def ensure_token(
    *,
    uid: str,
    at: datetime,
    kind: str = TokenKind.RFID,
    owner_ref: str = "",
    by: Principal = SYSTEM,
    organisation_id: int | None = None,
    expires_at: datetime | None = None,
    group: str = "",
    label: str = "",
    allows_parallel: bool = False,
) -> Token:
    """The token with this identifier, made if it is not there; its state stays as it is.

    Given again it brings expiry, group and label up to date. Raises TokenMalformed, and
    TokenTaken if the identifier has another owner.
    """
    normal = normal_uid(uid)
    if not normal or len(uid.strip()) > 36:
        raise TokenMalformed
    details = {
        "expires_at": expires_at,
        "group": group,
        "label": label,
        "allows_parallel": allows_parallel,
    }
    token, created = Token.objects.get_or_create(
        uid=normal,
        defaults={
            "kind": kind,
            "owner_ref": owner_ref,
            "organisation_id": organisation_id,
            "created_at": at,
            **details,
        },
    )
    if created:
        audit.record(by=by, action="issue_token", row=token, at=at)
        return token
    if token.owner_ref != owner_ref:
        raise TokenTaken
    Token.objects.filter(pk=token.pk).update(**details)
    token.refresh_from_db()
    return token


@transaction.atomic
def block_token(*, uid: str, at: datetime, by: Principal, reason: str = "") -> Token:
    """Let the token charge no more; doing it again changes nothing. Raises NoSuchToken."""
    return _set_state(uid, TokenState.BLOCKED, at=at, by=by, reason=reason)


@transaction.atomic
def unblock_token(*, uid: str, at: datetime, by: Principal, reason: str = "") -> Token:
    """Let the token charge again; doing it again changes nothing. Raises NoSuchToken."""
    return _set_state(uid, TokenState.ACCEPTED, at=at, by=by, reason=reason)


def _set_state(uid: str, to: str, *, at: datetime, by: Principal, reason: str) -> Token:
    token = Token.objects.select_for_update().filter(uid=normal_uid(uid)).first()
    if token is None:
        raise NoSuchToken
    if token.state == to:
        return token
    return move(token, to=to, at=at, by=by, reason=reason)
