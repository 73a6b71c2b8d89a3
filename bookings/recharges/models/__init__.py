"""Bought charges, and what belongs to them: codes at connectors, drivers without an account."""

from bookings.recharges.models.codes import ConnectorCode, GuestPass
from bookings.recharges.models.costs import VehicleCharge
from bookings.recharges.models.kept import KeptConnector
from bookings.recharges.models.recharges import Recharge

__all__ = ["ConnectorCode", "GuestPass", "KeptConnector", "Recharge", "VehicleCharge"]
