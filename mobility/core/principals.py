"""Who did it: an opaque name for a person, a machine or the system itself."""

from typing import NewType

Principal = NewType("Principal", str)

SYSTEM = Principal("system:platform")


def user_principal(public_id: object) -> Principal:
    """The principal of a person's account."""
    return Principal(f"user:{public_id}")


def device_principal(device_id: int) -> Principal:
    """The principal of a vehicle's telematics unit."""
    return Principal(f"device:{device_id}")


def charger_principal(identity: str) -> Principal:
    """The principal of a charging station."""
    return Principal(f"charger:{identity}")


def system_principal(what: str) -> Principal:
    """The principal of a part of the platform that acts by itself."""
    return Principal(f"system:{what}")
