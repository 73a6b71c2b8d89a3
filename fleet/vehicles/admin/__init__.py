"""Admin pages of vehicles: the list and what is done from it, and the rows around a vehicle."""

from fleet.vehicles.admin import batteries, rows, vehicle

__all__ = ["batteries", "rows", "vehicle"]
