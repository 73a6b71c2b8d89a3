"""What trips keep about a person, and how it is cut off from them."""

import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from bookings.trips.models import EndPhoto, StartPhoto, Trip, TripDispute
from bookings.trips.states import DisputeState, TripState
from mobility.accounts import privacy
from mobility.accounts.models import User
from mobility.core.principals import Principal

UNFINISHED = (
    TripState.STARTING, TripState.RUNNING, TripState.PAUSED, TripState.ENDING, TripState.ENDED,
    TripState.PRICED,
)  # fmt: skip


def export(*, user: User) -> dict[str, Any]:
    """Every trip with its stretches, photos and disputes, and what was found before it."""
    mine = {"user": user}
    return {
        "trips": list(
            Trip.objects.filter(**mine)
            .order_by("pk")
            .values(
                "public_id", "vehicle__code", "organisation__slug", "state", "requested_at",
                "started_at", "ended_at", "stretches", "distance_m", "price_cents", "flags",
                "start_lon", "start_lat",
            )
        ),
        "photos": list(
            EndPhoto.objects.filter(**mine)
            .order_by("pk")
            .values(
                "trip__public_id", "file__public_id", "taken_at", "state", "reason", "appeal",
                "appealed_at",
            )
        ),
        "photos_before_rides": list(
            StartPhoto.objects.filter(**mine)
            .order_by("pk")
            .values("vehicle__code", "file__public_id", "taken_at", "note")
        ),
        "disputes": list(
            TripDispute.objects.filter(**mine)
            .order_by("pk")
            .values(
                "case_number", "trip__public_id", "reason", "text", "state", "opened_at",
                "decided_at", "answer",
            )
        ),
    }  # fmt: skip


def hindrances(*, user: User, at: datetime.datetime) -> list[privacy.Hindrance]:
    """A trip runs or is being settled, or its price is disputed."""
    found = []
    if Trip.objects.filter(user=user, state__in=UNFINISHED).exists():
        message = _("A trip of yours is under way; end it first.")
        found.append(privacy.Hindrance(code="trip_active", message=message))
    if TripDispute.objects.filter(user=user, state=DisputeState.OPEN).exists():
        message = _("You disputed a trip; wait for the answer first.")
        found.append(privacy.Hindrance(code="dispute_open", message=message))
    return found


def erase(*, user: User, nobody: User, at: datetime.datetime, by: Principal) -> None:
    """That a vehicle was ridden stays; who rode it, what they wrote and photographed does not."""
    Trip.objects.filter(user=user).update(
        user=nobody, start_lon=None, start_lat=None, last_refusal=[]
    )
    EndPhoto.objects.filter(user=user).update(user=nobody, appeal="")
    StartPhoto.objects.filter(user=user).update(user=nobody, note="")
    TripDispute.objects.filter(user=user).update(user=nobody, text="", photos=[])


privacy.register("trips", export=export, erase=erase, hindrances=hindrances)
