"""What tickets do when a connector breaks or is well again."""

from __future__ import annotations

from datetime import datetime

from charging.stations.events import ConnectorStatusChanged
from charging.stations.models import ChargingStation
from charging.stations.states import ConnectorStatus
from charging.tickets import services
from mobility.core import outbox


def _about_faults(event: ConnectorStatusChanged) -> bool:
    return ConnectorStatus.FAULTED in {event.status, event.old_status}


@outbox.handles(ConnectorStatusChanged, when=_about_faults)
def on_connector_status_changed(event: ConnectorStatusChanged, *, at: datetime) -> None:
    """Look at its station anew; what it says by now counts, not this news."""
    stations = ChargingStation.objects.filter(identity=event.station_identity)
    services.sync_tickets(station_ids=stations.values_list("pk", flat=True), at=at)
