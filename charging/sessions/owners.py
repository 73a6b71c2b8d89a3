"""What charging knows of an owner, who is a word to it: shown, and forgotten."""

import datetime
from typing import Any

from django.db import transaction

from charging.sessions.models import ChargeRecord, ChargingSession, Token
from charging.sessions.services import block_token
from charging.sessions.states import TokenState
from mobility.core.principals import Principal


def cards_and_sessions(*, owner_ref: str) -> dict[str, Any]:
    """The owner's tokens, charging sessions and their records, oldest first, as JSON values."""
    return {
        "tokens": list(
            Token.objects.filter(owner_ref=owner_ref)
            .order_by("pk")
            .values("uid", "kind", "state", "label", "created_at", "expires_at")
        ),
        "sessions": list(
            ChargingSession.objects.filter(owner_ref=owner_ref)
            .order_by("pk")
            .values(
                "public_id", "station__identity", "started_at", "ended_at", "energy_wh",
                "price_cents", "currency", "lines",
            )
        ),
        "records": list(
            ChargeRecord.objects.filter(session__owner_ref=owner_ref)
            .order_by("pk")
            .values(
                "number", "kind", "issued_at", "energy_wh", "gross_cents", "net_cents", "currency",
            )
        ),
    }  # fmt: skip


@transaction.atomic
def forget_owner(*, owner_ref: str, at: datetime.datetime, by: Principal) -> None:
    """Block the owner's tokens and cut them and their sessions off from the owner."""
    mine = Token.objects.filter(owner_ref=owner_ref)
    for uid in mine.filter(state=TokenState.ACCEPTED).values_list("uid", flat=True):
        block_token(uid=uid, at=at, by=by, reason="owner_erased")
    mine.update(owner_ref="", label="")
    ChargingSession.objects.filter(owner_ref=owner_ref).update(owner_ref="")
