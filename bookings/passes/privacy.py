"""What passes, codes and discounts keep about a person, and how it goes."""

import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from bookings.passes.models import DiscountStatus, Pass, PerkUse, PromoRedemption
from mobility.accounts import privacy
from mobility.accounts.models import User
from mobility.core.principals import Principal


def export(*, user: User) -> dict[str, Any]:
    """What was bought, redeemed, verified and used."""
    mine = {"user": user}
    return {
        "passes": list(
            Pass.objects.filter(**mine)
            .order_by("pk")
            .values(
                "public_id", "organisation__slug", "state", "terms", "bought_at", "starts_at",
                "ends_at", "minutes_left", "auto_renew",
            )
        ),
        "codes": list(
            PromoRedemption.objects.filter(**mine)
            .order_by("pk")
            .values("promo__code", "state", "redeemed_at", "valid_until", "saved_cents")
        ),
        "discounts": list(
            DiscountStatus.objects.filter(**mine).values("organisation__slug", "verified_until")
        ),
        "uses": list(
            PerkUse.objects.filter(**mine).order_by("pk").values("ref", "at", "granted", "lines")
        ),
    }  # fmt: skip


def erase(*, user: User, nobody: User, at: datetime.datetime, by: Principal) -> None:
    """The discount goes, and which ride used what; passes stay with the documents that sold them."""
    DiscountStatus.objects.filter(user=user).delete()
    PerkUse.objects.filter(user=user).update(user=nobody)
    PromoRedemption.objects.filter(user=user).update(used_ref="")
    Pass.objects.filter(user=user).update(auto_renew=False)


privacy.register(
    "passes",
    export=export,
    erase=erase,
    kept=_("Which passes were sold, without your name, for as long as their receipts."),
)
