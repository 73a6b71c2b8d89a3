"""Words of the pages of drivers without an account."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from bookings.pricing.texts import LINES
from charging.stations.states import ConnectorStatus

LINE_NAMES: Mapping[str, str | Promise] = {**LINES, "time": _("Time charging")}

CHARGER_STATUS: Mapping[str, Promise] = {
    ConnectorStatus.UNKNOWN: _("We have no contact to this charger right now."),
    ConnectorStatus.OCCUPIED: _("Somebody charges here right now."),
    ConnectorStatus.RESERVED: _("This connector is reserved for somebody else."),
    ConnectorStatus.UNAVAILABLE: _("This connector is out of service."),
    ConnectorStatus.FAULTED: _("This connector is out of order."),
}
