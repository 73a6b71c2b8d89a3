"""What may be done with webhooks."""

from mobility.webhooks.services.delivering import deliver_due, forget_old
from mobility.webhooks.services.endpoints import (
    EndpointNotActive,
    TooManyEndpoints,
    UnknownKind,
    UrlRefused,
    add_endpoint,
    change_endpoint,
    pause_endpoint,
    remove_endpoint,
    require_target,
    resume_endpoint,
    rotate_secret,
)
from mobility.webhooks.services.notices import warn_keepers
from mobility.webhooks.services.repeating import (
    NothingToRepeat,
    ping,
    repeat_delivery,
    repeat_range,
)
from mobility.webhooks.services.telling import tell_endpoints

__all__ = [
    "EndpointNotActive",
    "NothingToRepeat",
    "TooManyEndpoints",
    "UnknownKind",
    "UrlRefused",
    "add_endpoint",
    "change_endpoint",
    "deliver_due",
    "forget_old",
    "pause_endpoint",
    "ping",
    "remove_endpoint",
    "repeat_delivery",
    "repeat_range",
    "require_target",
    "resume_endpoint",
    "rotate_secret",
    "tell_endpoints",
    "warn_keepers",
]
