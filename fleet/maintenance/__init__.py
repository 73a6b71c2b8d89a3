"""Faults, work orders, preventive rules and the checklist before a vehicle is offered again."""
