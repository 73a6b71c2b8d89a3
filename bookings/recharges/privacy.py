"""What charges keep about a person, and how it is cut off from them."""

import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from bookings.recharges.models import KeptConnector, Recharge
from bookings.recharges.states import ACTIVE, KeptState, RechargeState
from charging.sessions.owners import cards_and_sessions, forget_owner
from mobility.accounts import privacy
from mobility.accounts.models import User
from mobility.core.principals import Principal


def export(*, user: User) -> dict[str, Any]:
    """Every charge, every connector that was kept, the cards, and what their chargers reported."""
    mine = {"user": user}
    return {
        "recharges": list(
            Recharge.objects.filter(**mine)
            .order_by("pk")
            .values(
                "public_id", "organisation__slug", "state", "origin", "requested_at", "started_at",
                "ended_at", "energy_wh", "price_cents", "terms",
            )
        ),
        "kept_connectors": list(
            KeptConnector.objects.filter(**mine)
            .order_by("pk")
            .values("public_id", "state", "created_at", "until")
        ),
        **cards_and_sessions(owner_ref=user.principal),
    }  # fmt: skip


def hindrances(*, user: User, at: datetime.datetime) -> list[privacy.Hindrance]:
    """A charge runs, or a connector waits."""
    found = []
    unfinished = (*ACTIVE, RechargeState.PRICED)
    if Recharge.objects.filter(user=user, state__in=unfinished).exists():
        message = _("You are charging; end that first.")
        found.append(privacy.Hindrance(code="recharge_active", message=message))
    if KeptConnector.objects.filter(user=user, state=KeptState.HELD).exists():
        message = _("A charging point waits for you; give it up first.")
        found.append(privacy.Hindrance(code="connector_kept", message=message))
    return found


def erase(*, user: User, nobody: User, at: datetime.datetime, by: Principal) -> None:
    """That a charger was used stays; by whom does not, and no card opens one any more."""
    for model in (Recharge, KeptConnector):
        model._default_manager.filter(user=user).update(user=nobody)
    forget_owner(owner_ref=user.principal, at=at, by=by)


privacy.register("recharges", export=export, erase=erase, hindrances=hindrances)
