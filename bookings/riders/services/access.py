"""The gate before every reservation and every ride."""

import datetime

from django.utils.translation import gettext_lazy as _

from bookings.riders.queries import obstacles
from bookings.riders.rules import Obstacle
from mobility.core.errors import Forbidden


class AccessRefused(Forbidden):
    """The person may not ride this; `extra["reasons"]` says all that is in the way and how to lift it."""

    code = "access_refused"
    message = _("You cannot ride this vehicle yet. See what is missing.")


def refuse_unfit(
    *,
    user_id: int,
    organisation_id: int,
    kind: str,
    at: datetime.datetime,
    ends_at: datetime.datetime | None = None,
    type_code: str = "",
) -> tuple[Obstacle, ...]:
    """Raise `AccessRefused` with every reason at once, or return the warnings for whoever may ride.

    One query for whoever is fit; it also keeps the account from being erased until the transaction of
    the caller ends. Asked when reserving, when booking ahead (with `ends_at`), and again
    when the ride starts.
    """
    found = obstacles(
        user_id=user_id,
        organisation_id=organisation_id,
        kind=kind,
        at=at,
        ends_at=ends_at,
        type_code=type_code,
        hold=True,
    )
    if any(one.blocking for one in found):
        raise AccessRefused(extra={"reasons": [one.as_json() for one in found]})
    return found
