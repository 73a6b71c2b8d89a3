"""What a 2.0.1 station tells of itself and of jobs it was given, and private messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from charging.ocpp import replies
from charging.ocpp.deeds import Asked, Deed, Handler, Verb
from charging.ocpp.rpc.frames import Payload
from charging.ocpp.v201.mapping import reports


def told(mapping: Callable[[Asked], Any], *, verb: Verb = Verb.DEVICE) -> Handler:
    """A handler for messages that only want to be heard: mapped, stored, answered with nothing."""

    def handler(asked: Asked) -> Deed:
        return Deed(verb, mapping(asked), replies.nothing)

    return handler


def charging_needs(asked: Asked) -> Deed:
    def reply(planned: bool) -> Payload:  # noqa: FBT001 - the service's answer
        return {"status": "Accepted" if planned else "Rejected"}

    return Deed(Verb.ENERGY, reports.charging_needs(asked), reply)


def ev_schedule(_: Asked) -> Payload:
    """The vehicle's own plan stays within the limit it got; there is nothing to object to."""
    return {"status": "Accepted"}


HANDLERS: Final[dict[str, Handler]] = {
    "ClearedChargingLimit": told(reports.cleared_limit, verb=Verb.ENERGY),
    "DataTransfer": replies.unknown_vendor,
    "FirmwareStatusNotification": told(reports.firmware_status),
    "LogStatusNotification": told(reports.log_status),
    "NotifyChargingLimit": told(reports.charging_limit, verb=Verb.ENERGY),
    "NotifyCustomerInformation": told(reports.customer_part),
    "NotifyDisplayMessages": told(reports.display_part),
    "NotifyEVChargingNeeds": charging_needs,
    "NotifyEVChargingSchedule": ev_schedule,
    "NotifyEvent": told(reports.events),
    "NotifyMonitoringReport": told(reports.monitoring_part),
    "NotifyReport": told(reports.report_part),
    "PublishFirmwareStatusNotification": replies.nothing,
    "ReportChargingProfiles": told(reports.profiles_part),
    "ReservationStatusUpdate": told(reports.reservation_end),
}
