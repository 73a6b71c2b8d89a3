"""The connector that waits for a booked car at its return."""

import datetime

from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from bookings.reservations.models import Booking, ReservationPolicy
from charging.stations.models import Connector, ConnectorHold
from charging.stations.services import ConnectorTaken, hold_connector, release_connector
from charging.stations.states import ConnectorStatus
from mobility.core.errors import Conflict
from mobility.core.principals import Principal
from mobility.geography.models import Hub

# Who comes back early finds it free, who comes a little late too.
EARLY = datetime.timedelta(minutes=15)
PLUG_IN = datetime.timedelta(minutes=30)
TRIES = 4
BROKEN = (ConnectorStatus.FAULTED, ConnectorStatus.UNAVAILABLE)


class NoConnectorFree(Conflict):
    """Every connector of the hub that works is kept for others then, or there is none."""

    code = "no_connector_free"
    message = _("No charging point is free there at the end of your booking.")


def keep_connector(
    *, hub: Hub, booking: Booking, policy: ReservationPolicy, at: datetime.datetime, by: Principal
) -> ConnectorHold:
    """Keep a connector of the hub from shortly before the return until the car is plugged in.

    Runs in the booking's transaction. Raises `NoConnectorFree`.
    """
    since, until = return_span(booking.ends_at)
    held = ConnectorHold.objects.filter(
        connector=OuterRef("pk"), released_at=None, during__overlap=(since, until)
    )
    # One that works now, before one whose charger says nothing; a broken one is no promise at all.
    works = Connector.objects.exclude(status__in=BROKEN).filter(evse__station__site__hub=hub)
    silent = Q(evse__station__connected_at=None) | Q(status=ConnectorStatus.UNKNOWN)
    free = works.filter(~Exists(held)).order_by(ExpressionWrapper(silent, BooleanField()), "pk")
    for connector_id in free.values_list("pk", flat=True)[:TRIES]:
        try:
            return hold_connector(
                connector_id=connector_id,
                since=since,
                until=until,
                holder_ref=f"booking:{booking.public_id}",
                at=at,
                by=by,
            )
        except ConnectorTaken:
            continue
    raise NoConnectorFree


def give_connector(booking: Booking, *, at: datetime.datetime, by: Principal) -> None:
    """Give the kept connector free, if there is one."""
    if booking.connector_hold_id is not None:
        release_connector(hold_id=booking.connector_hold_id, at=at, by=by)


def return_span(ends_at: datetime.datetime) -> tuple[datetime.datetime, datetime.datetime]:
    """When the connector is kept for a booking that ends then."""
    return ends_at - EARLY, ends_at + PLUG_IN
