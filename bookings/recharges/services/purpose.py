"""How a charger's facts find back to the recharge that asked for them."""

import uuid

from bookings.recharges.models import Recharge
from mobility.core.principals import system_principal

KEEPER = system_principal("recharge-keeper")
_PREFIX = "recharge"


def purpose_ref(recharge: Recharge) -> str:
    """The name that commands and sessions of this recharge carry."""
    return f"{_PREFIX}:{recharge.public_id}"


def locked_recharge(ref: str) -> Recharge | None:
    """The recharge behind a purpose, locked until the transaction ends; `None` if none of ours."""
    parts = ref.split(":")
    if len(parts) != 2 or parts[0] != _PREFIX:
        return None
    return _locked(public_id=uuid.UUID(parts[1]))


def locked_by_session(session_id: uuid.UUID) -> Recharge | None:
    """The recharge of a session that carries no name of ours: a card's."""
    return _locked(session__public_id=session_id)


def _locked(**which: uuid.UUID) -> Recharge | None:
    return (
        Recharge.objects.select_related("payment__organisation", "user", "session", "connector")
        .select_for_update(of=("self",))
        .filter(**which)
        .first()
    )
