"""Trips and what belongs to them: policies, outages, versions, disputes."""

from bookings.trips.models.before import StartPhoto
from bookings.trips.models.dispute import TripDispute
from bookings.trips.models.photo import EndPhoto
from bookings.trips.models.policy import Incident, TripPolicy
from bookings.trips.models.trip import Trip
from bookings.trips.models.version import TripVersion

__all__ = ["EndPhoto", "Incident", "StartPhoto", "Trip", "TripDispute", "TripPolicy", "TripVersion"]
