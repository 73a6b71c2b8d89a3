"""What `manage.py check --deploy` asks of the telemetry log: to keep what it was given."""

from typing import Any

import redis
from django.core import checks

from fleet.vehicles import mailbox

# What Redis must be told so that an accepted report survives a crash and is never evicted.
DURABLE = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}


@checks.register(deploy=True)
def log_is_durable(**_options: Any) -> list[checks.CheckMessage]:
    """Refuse a log that can lose what a device was told is safe.

    Says nothing when Redis cannot be asked: `/readyz` reports one that is away, and a managed one
    may keep its settings to itself.
    """
    try:
        settings: dict[str | None, str | None] = {}
        for name in DURABLE:
            settings |= mailbox.client().config_get(name)
    except redis.RedisError:
        return []
    wrong = {name: settings.get(name) for name in DURABLE if settings.get(name) != DURABLE[name]}
    if not wrong:
        return []
    found = ", ".join(f"{name} {value}" for name, value in wrong.items())
    wanted = ", ".join(f"{name} {DURABLE[name]}" for name in wrong)
    return [
        checks.Error(
            f"The Redis of the telemetry log can lose accepted reports: {found}.",
            hint=f"Set {wanted} on the instance behind TELEMETRY_REDIS_URL.",
            id="fleet.E001",
        ),
    ]
