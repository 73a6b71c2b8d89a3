"""Writes about energy; one module per kind of deed."""

from charging.energy.services.demands import (
    ConnectorDemanded,
    DemandTooLate,
    count_delivery,
    demand_energy,
    withdraw_demand,
)
from charging.energy.services.limits import record_facts
from charging.energy.services.planning import NoSiteLimit, plan_due_sites, plan_site, set_site_load
from charging.energy.services.profiles import (
    SiteIsShared,
    guard_profile,
    note_profile_answer,
)

__all__ = [
    "ConnectorDemanded",
    "DemandTooLate",
    "NoSiteLimit",
    "SiteIsShared",
    "count_delivery",
    "demand_energy",
    "guard_profile",
    "note_profile_answer",
    "plan_due_sites",
    "plan_site",
    "record_facts",
    "set_site_load",
    "withdraw_demand",
]
