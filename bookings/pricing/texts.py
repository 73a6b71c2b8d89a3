"""What the lines of a bill are called."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

LINES: Mapping[str, str | Promise] = {
    "unlock": pgettext_lazy("price", "Unlock"),
    "ride": _("Ride"),
    "pause": _("Pause"),
    "hold": _("Reservation"),
    "distance": _("Distance"),
    "package": _("Package"),
    "step": _("Started period"),
    "zone": _("Zone fee"),
    "pass": _("Covered by a pass"),
    "reward": _("Reward for helping the fleet"),
    "best_of": _("Taken off: cheaper this way"),
    "pass_bought": _("Pass"),
    "promo": _("Promotion"),
    "discount": _("Discount"),
    "waived_unlock": _("Unlocking, given back"),
    "cap": _("Taken off by the cap"),
    "day_cap": _("Taken off by the daily cap"),
    "no_show": _("Booked and not taken"),
    "late_cancel": _("Late cancellation"),
    "overstay": _("Late return"),
    "flat": _("Start of the charge"),
    "energy": _("Energy"),
    "time": _("Time connected"),
    "idle": _("Time after charging"),
    "minimum": _("Up to the least price of a charge"),
    "maximum": _("Down to the most a charge costs"),
    "limit": _("Taken off by your limit"),
    "top_up": _("Credit"),
    "fee": _("Fee"),
    "refund": _("Refund"),
    "correction": _("Correction of the price"),
    "goodwill": _("Goodwill"),
}


def line_name(kind: str) -> str:
    """What a line is called in the active language; an unknown kind is shown as it is."""
    return str(LINES.get(kind, kind.replace("_", " ").capitalize()))
