"""Writes about energy; one module per kind of deed."""

from charging.energy.services.demands import (
    ConnectorDemanded,
    DemandTooLate,
    change_demands,
    count_delivery,
    demand_energy,
    withdraw_demand,
)
from charging.energy.services.limits import record_facts, take_needs
from charging.energy.services.planning import NoSiteLimit, plan_due_sites, plan_site, set_site_load
from charging.energy.services.profiles import (
    ProfileBeyondStation,
    SiteIsShared,
    guard_profile,
    is_of_plan,
    note_profile_answer,
)
from charging.energy.services.retention import forget_records

__all__ = [
    "ConnectorDemanded",
    "DemandTooLate",
    "NoSiteLimit",
    "ProfileBeyondStation",
    "SiteIsShared",
    "change_demands",
    "count_delivery",
    "demand_energy",
    "forget_records",
    "guard_profile",
    "is_of_plan",
    "note_profile_answer",
    "plan_due_sites",
    "plan_site",
    "record_facts",
    "set_site_load",
    "take_needs",
    "withdraw_demand",
]
