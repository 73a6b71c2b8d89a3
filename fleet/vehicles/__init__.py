"""Vehicles: types, life cycle, the one hold of a vehicle, commands and the state history."""
