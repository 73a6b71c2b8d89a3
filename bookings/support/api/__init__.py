"""Doors of support: faults of vehicles, and cases."""

from bookings.support.api.cases import CaseViewSet, OwnProblemsView
from bookings.support.api.faults import VehicleFaultsView

__all__ = ["CaseViewSet", "OwnProblemsView", "VehicleFaultsView"]
