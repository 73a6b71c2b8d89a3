"""A living city that uses the service only through its public doors.

Nothing here imports another room of the project: vehicles speak the telemetry
door, residents the JSON API, chargers OCPP. What the simulator can do, a
stranger with the same credentials can do.
"""
