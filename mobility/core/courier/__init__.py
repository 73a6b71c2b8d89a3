"""Messages to programs of strangers: one guarded way out for webhooks and for push services."""

from mobility.core.courier.sending import TIMEOUT_S, Courier, Outcome, Parcel
from mobility.core.courier.states import Failure
from mobility.core.courier.targets import BadTarget, is_public, target_of

__all__ = [
    "TIMEOUT_S",
    "BadTarget",
    "Courier",
    "Failure",
    "Outcome",
    "Parcel",
    "is_public",
    "target_of",
]
