"""Sites, stations and their connectors; the commands sent to them; who could not get in."""

from charging.stations.models.commands import StationCommand
from charging.stations.models.connectors import Connector, ConnectorHold, Evse
from charging.stations.models.handshakes import RefusedHandshake
from charging.stations.models.sites import Site, SiteQuerySet
from charging.stations.models.stations import OCPP_VERSIONS, ChargingStation, all_ocpp_versions
from charging.stations.models.streams import EventStream

__all__ = [
    "OCPP_VERSIONS",
    "ChargingStation",
    "Connector",
    "ConnectorHold",
    "EventStream",
    "Evse",
    "RefusedHandshake",
    "Site",
    "SiteQuerySet",
    "StationCommand",
    "all_ocpp_versions",
]
