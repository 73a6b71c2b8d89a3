"""Writing tokens: make sure one is there, block it, let it charge again."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from charging.sessions.models import Token
from charging.sessions.rules import normal_uid
from charging.sessions.states import TokenKind, TokenState
from charging.stations.models import Evse, Site
from mobility.core import audit
from mobility.core.errors import Conflict, Invalid, NotFound
from mobility.core.principals import SYSTEM, Principal
from mobility.core.transitions import move, move_many

# The one reason that lifts itself.
DEBT: Final = "debt"


class TokenMalformed(Invalid):
    """The identifier is empty or too long."""

    code = "token_malformed"
    message = _("A token identifier has 1 to 36 characters.")


class TokenTaken(Conflict):
    """The identifier belongs to somebody else."""

    code = "token_taken"
    message = _("This token belongs to somebody else.")


class NoSuchPlace(NotFound):
    """A site or an EVSE that is not in our records."""

    code = "no_such_charging_place"
    message = _("There is no such charging place.")


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
    is_master: bool = False,
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
        "is_master": is_master,
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
def bind_token(
    *,
    uid: str,
    at: datetime,
    by: Principal,
    site_ids: Collection[int] = (),
    evse_ids: Collection[int] = (),
) -> Token:
    """Let the token charge at these sites and EVSEs only; without any, everywhere again.

    Raises NoSuchToken, NoSuchPlace.
    """
    token = _locked(uid)
    sites = set(Site.objects.filter(pk__in=site_ids).values_list("pk", flat=True))
    evses = set(Evse.objects.filter(pk__in=evse_ids).values_list("pk", flat=True))
    if sites != set(site_ids) or evses != set(evse_ids):
        raise NoSuchPlace
    token.only_sites, token.only_evses = sorted(sites), sorted(evses)
    token.save(update_fields=["only_sites", "only_evses"])
    changes = {"only_sites": token.only_sites, "only_evses": token.only_evses}
    audit.record(by=by, action="bind_token", row=token, at=at, changes=changes)
    return token


@transaction.atomic
def block_token(*, uid: str, at: datetime, by: Principal, reason: str = "") -> Token:
    """Let the token charge no more; doing it again changes nothing. Raises NoSuchToken.

    A reason given for a token that a debt blocks stands from then on: the debt's end no longer
    unblocks a card that was lost meanwhile.
    """
    token = _locked(uid)
    if token.state == TokenState.BLOCKED:
        if token.block_reason == DEBT and reason != DEBT:
            Token.objects.filter(pk=token.pk).update(block_reason=reason[:20])
        return token
    return move(token, to=TokenState.BLOCKED, at=at, by=by, reason=reason, block_reason=reason[:20])


@transaction.atomic
def unblock_token(*, uid: str, at: datetime, by: Principal, reason: str = "") -> Token:
    """Let the token charge again; doing it again changes nothing. Raises NoSuchToken."""
    token = _locked(uid)
    if token.state == TokenState.ACCEPTED:
        return token
    return move(token, to=TokenState.ACCEPTED, at=at, by=by, reason=reason, block_reason="")


@transaction.atomic
def block_tokens_of(*, owner_ref: str, at: datetime, by: Principal) -> int:
    """Block every token of somebody who owes money; returns how many were open until now."""
    accepted = Token.objects.filter(owner_ref=owner_ref, state=TokenState.ACCEPTED)
    rows = list(accepted.select_for_update().order_by("pk"))
    blocked = move_many(rows, to=TokenState.BLOCKED, at=at, by=by, reason=DEBT, block_reason=DEBT)
    return len(blocked)


@transaction.atomic
def unblock_tokens_of(*, owner_ref: str, at: datetime, by: Principal) -> int:
    """Open the tokens that a debt alone had blocked; returns how many."""
    indebted = Token.objects.filter(
        owner_ref=owner_ref, state=TokenState.BLOCKED, block_reason=DEBT
    )
    rows = list(indebted.select_for_update().order_by("pk"))
    opened = move_many(rows, to=TokenState.ACCEPTED, at=at, by=by, reason="paid", block_reason="")
    return len(opened)


def _locked(uid: str) -> Token:
    token = Token.objects.select_for_update().filter(uid=normal_uid(uid)).first()
    if token is None:
        raise NoSuchToken
    return token
