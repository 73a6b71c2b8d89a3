"""Writes about stations; one module per kind of deed."""

from charging.stations.services.commands import (
    CommandKeyReused,
    NoSuchConnector,
    NoSuchStation,
    UnknownAction,
    expire_commands,
    finish_commands,
    mark_commands_sent,
    queue_command,
    take_commands,
)
from charging.stations.services.commissioning import (
    ConnectorPlan,
    ConnectorsMalformed,
    IdentityMalformed,
    IdentityTaken,
    PasswordMalformed,
    add_charger,
    check_plan,
    ensure_site,
    reset_password,
    set_registration,
)
from charging.stations.services.connections import (
    close_connections,
    forget_refused_handshakes,
    open_connection,
    open_connections,
    record_refused_handshakes,
    release_gateway,
    touch_stations,
)
from charging.stations.services.holds import (
    ConnectorTaken,
    hold_connector,
    release_connector,
)
from charging.stations.services.reports import record_boots, record_statuses

__all__ = [
    "CommandKeyReused",
    "ConnectorPlan",
    "ConnectorTaken",
    "ConnectorsMalformed",
    "IdentityMalformed",
    "IdentityTaken",
    "NoSuchConnector",
    "NoSuchStation",
    "PasswordMalformed",
    "UnknownAction",
    "add_charger",
    "check_plan",
    "close_connections",
    "ensure_site",
    "expire_commands",
    "finish_commands",
    "forget_refused_handshakes",
    "hold_connector",
    "mark_commands_sent",
    "open_connection",
    "open_connections",
    "queue_command",
    "record_boots",
    "record_refused_handshakes",
    "record_statuses",
    "release_connector",
    "release_gateway",
    "reset_password",
    "set_registration",
    "take_commands",
    "touch_stations",
]
