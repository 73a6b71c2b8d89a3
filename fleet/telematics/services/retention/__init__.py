"""How long what vehicles reported is kept: each step verifies first, and writes down what it removed.

hot days → chunks of a vehicle and an hour → lines of trips and counts by cell; and from a time on
nothing here names a trip any more. docs/telematics.md tells the periods and why.
"""

from fleet.telematics.services.retention.days import close_days, count_cells, count_closed_days
from fleet.telematics.services.retention.links import cut_links
from fleet.telematics.services.retention.months import drop_months
from fleet.telematics.services.retention.quarantine import forget_quarantined
from fleet.telematics.services.retention.round import retain
from fleet.telematics.services.retention.traces import forget_traces

__all__ = [
    "close_days",
    "count_cells",
    "count_closed_days",
    "cut_links",
    "drop_months",
    "forget_quarantined",
    "forget_traces",
    "retain",
]
