"""What tickets keep about who saw to them, and how it is cut off from them."""

import datetime
from typing import Any

from charging.tickets.models import StationTicket
from mobility.accounts import privacy
from mobility.accounts.models import User
from mobility.core.principals import Principal


def export(*, user: User) -> list[Any]:
    """Every ticket they took."""
    taken = StationTicket.objects.filter(taken_by=user).order_by("pk")
    return list(taken.values("station__identity", "kind", "state", "taken_at", "closed_at", "note"))


def erase(*, user: User, nobody: User, at: datetime.datetime, by: Principal) -> None:
    """What was wrong with a charger stays with it; who saw to it goes."""
    StationTicket.objects.filter(taken_by=user).update(taken_by=None)


privacy.register("charger_tickets", export=export, erase=erase)
