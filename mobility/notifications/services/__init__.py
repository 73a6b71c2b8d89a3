"""What may be done with notifications."""

from mobility.notifications.services.choosing import choose
from mobility.notifications.services.delivering import deliver_due, forget_old
from mobility.notifications.services.devices import (
    BadDevice,
    PushIsOff,
    add_device,
    remove_device,
)
from mobility.notifications.services.telling import tell

__all__ = [
    "BadDevice",
    "PushIsOff",
    "add_device",
    "choose",
    "deliver_due",
    "forget_old",
    "remove_device",
    "tell",
]
