"""Zones: dated rules about where vehicles may be ridden, parked and ended."""
