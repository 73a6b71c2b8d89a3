"""What reports of faults keep about a person, and how it is cut off from them."""

import datetime
from typing import Any

from fleet.maintenance.models import FaultReport
from mobility.accounts import privacy
from mobility.accounts.models import User
from mobility.core.principals import Principal


def export(*, user: User) -> list[Any]:
    """Every report they made."""
    told = FaultReport.objects.told_by(user.principal).order_by("pk")
    return list(
        told.values(
            "case_number", "vehicle__code", "category", "text", "at", "lon", "lat", "state",
            "trip_ref",
        )
    )  # fmt: skip


def erase(*, user: User, nobody: User, at: datetime.datetime, by: Principal) -> None:
    """What is wrong with a vehicle stays for whoever repairs it; who said so, and where they stood, goes."""
    told = FaultReport.objects.told_by(user.principal)
    told.update(reported_by=nobody.principal, lon=None, lat=None, trip_ref="")


privacy.register("fault_reports", export=export, erase=erase)
