"""Doors of trips."""
