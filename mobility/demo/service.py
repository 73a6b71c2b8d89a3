"""The demo operator's service: when it is due, what is looked at, and two reports to judge."""

import datetime

from fleet.maintenance.models import FaultReport, MaintenanceRule
from fleet.maintenance.services import ensure_gate, report_fault
from fleet.maintenance.states import FaultCategory, FaultSource
from fleet.vehicles.models import Vehicle
from fleet.vehicles.states import Kind, LifeState
from mobility.accounts.models import Organisation
from mobility.core.principals import Principal

RULES = (
    {
        "kind": Kind.BICYCLE,
        "title": {"it": "Tagliando bici", "en": "Bicycle service"},
        "every_km": 1_000,
        "every_days": 180,
    },
    {
        "kind": Kind.SCOOTER,
        "title": {"it": "Tagliando monopattino", "en": "Scooter service"},
        "every_km": 500,
        "every_rides": 400,
    },
    {
        "kind": Kind.CAR,
        "title": {"it": "Tagliando auto", "en": "Car service"},
        "every_km": 20_000,
        "every_days": 365,
    },
)
REPORTS = (
    (Kind.BICYCLE, FaultCategory.TYRE, "La gomma dietro è sgonfia."),
    (Kind.SCOOTER, FaultCategory.DIRTY, "Manubrio appiccicoso."),
)


def ensure_service(*, operator: Organisation, at: datetime.datetime, by: Principal) -> None:
    """Rules and checklists where there are none, and two reports in a fleet that has none."""
    for kind in Kind:
        ensure_gate(organisation_id=operator.pk, kind=kind)
    if not MaintenanceRule.objects.filter(organisation=operator).exists():
        MaintenanceRule.objects.bulk_create(
            MaintenanceRule(organisation=operator, **rule) for rule in RULES
        )
    if FaultReport.objects.filter(vehicle__organisation=operator).exists():
        return
    for kind, category, text in REPORTS:
        vehicle = Vehicle.objects.filter(
            organisation=operator, type__kind=kind, life_state=LifeState.IN_SERVICE
        ).first()
        if vehicle is not None:
            report_fault(
                vehicle_id=vehicle.pk,
                source=FaultSource.RESIDENT,
                category=category,
                text=text,
                at=at,
                by=by,
            )
