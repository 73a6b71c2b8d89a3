"""What riders keep about a person, and how it goes."""

import datetime
from typing import Any

from bookings.riders.models import DrivingLicence, IdentityCheck, RiderBlock, RiderProfile
from mobility.accounts import privacy
from mobility.accounts.models import User
from mobility.core.principals import Principal

_DOCUMENT = (
    "public_id", "state", "country", "valid_until", "submitted_at", "decided_at", "reason",
)  # fmt: skip


def export(*, user: User) -> dict[str, Any]:
    """Particulars, documents, confirmations and blocks; the pictures lie beside in the archive."""
    mine = {"user": user}
    return {
        "profile": RiderProfile.objects.filter(**mine)
        .values("birth_date", "phone", "reduced_mobility", "updated_at")
        .first(),
        "identity": list(
            IdentityCheck.objects.filter(**mine).order_by("pk").values(*_DOCUMENT, "paper")
        ),
        "licences": list(
            DrivingLicence.objects.filter(**mine)
            .order_by("pk")
            .values(*_DOCUMENT, "number_last3", "categories", "held_since")
        ),
        "acknowledgements": list(
            user.acknowledgements.order_by("pk").values("text__kind", "text__version", "at")
        ),
        "blocks": list(
            RiderBlock.objects.filter(**mine)
            .order_by("pk")
            .values("reason", "organisation__slug", "since", "until", "lifted_at")
        ),
    }


def erase(*, user: User, nobody: User, at: datetime.datetime, by: Principal) -> None:
    """Everything goes; nothing of it is a tax record."""
    for model in (IdentityCheck, DrivingLicence, RiderBlock, RiderProfile):
        model._default_manager.filter(user=user).delete()
    user.acknowledgements.all().delete()


privacy.register("riders", export=export, erase=erase)
