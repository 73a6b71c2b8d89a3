"""What a person needs of a vehicle besides its kind: looked at only when somebody asks."""

from collections.abc import Collection, Iterable

from django.db import models
from django.utils.translation import gettext_lazy as _

from fleet.telematics.queries import NearbyVehicle
from fleet.vehicles.models import Vehicle
from fleet.vehicles.states import Equipment, FormFactor

# So many of the nearest are looked at: whoever needs a child seat walks further than to the next bike.
LOOKED_AT = 1_000


class Need(models.TextChoices):
    """Something that not every vehicle of a kind has."""

    CHILD_SEAT = "child_seat", _("Child seat")
    CARGO = "cargo", _("Room for cargo")
    ADAPTIVE = "adaptive", _("Wheelchair access")


_EQUIPPED = {
    Need.CHILD_SEAT: frozenset({Equipment.CHILD_SEAT}),
    Need.CARGO: frozenset({Equipment.CARGO_BOX}),
    Need.ADAPTIVE: frozenset({Equipment.WHEELCHAIR_ACCESS}),
}


def meets(need: str, *, form: str, equipment: Collection[str]) -> bool:
    """Whether a vehicle of this form and with this equipment has what is needed."""
    if need == Need.CARGO and form == FormFactor.CARGO_BICYCLE:
        return True
    return not _EQUIPPED[Need(need)].isdisjoint(equipment)


def fitting(
    near: Iterable[NearbyVehicle], *, needs: Collection[str], range_m: int
) -> list[NearbyVehicle]:
    """Those of `near` that go `range_m` metres and have all that is needed; one query for `needs`."""
    far = [one for one in near if not range_m or (one.range_m or 0) >= range_m]
    if not needs:
        return far
    rows = Vehicle.objects.filter(pk__in=[one.vehicle_id for one in far])
    fit = {
        pk
        for pk, form, equipment in rows.values_list("pk", "type__form_factor", "equipment")
        if all(meets(need, form=form, equipment=equipment) for need in needs)
    }
    return [one for one in far if one.vehicle_id in fit]
