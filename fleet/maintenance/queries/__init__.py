"""Reading maintenance: what service is due, what it cost, what stands open."""

from fleet.maintenance.queries.costs import Cost, costs
from fleet.maintenance.queries.orders import faults_with_story, orders_with_story
from fleet.maintenance.queries.usage import Usage, usage_under

__all__ = ["Cost", "Usage", "costs", "faults_with_story", "orders_with_story", "usage_under"]
