"""Register of the Celery tasks of this app's features."""

from fleet.energy import tasks as energy_tasks
from fleet.incentives import tasks as incentives_tasks
from fleet.maintenance import tasks as maintenance_tasks
from fleet.rebalancing import tasks as rebalancing_tasks
from fleet.telematics import tasks as telematics_tasks
from fleet.vehicles import tasks as vehicles_tasks
from fleet.zones import tasks as zones_tasks

__all__ = [
    "energy_tasks",
    "incentives_tasks",
    "maintenance_tasks",
    "rebalancing_tasks",
    "telematics_tasks",
    "vehicles_tasks",
    "zones_tasks",
]
