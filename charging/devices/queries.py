"""Reads about devices."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from django.db.models import Q

from charging.devices.models import DeviceVariable
from charging.devices.rules import as_limit, is_whole
from mobility.core.remembering import Remembered

# What a station that told us nothing surely takes; all that we ever met took more.
SOME_VARIABLES: Final = 10
SOME_ENTRIES: Final = 50
_REMEMBER_S: Final = 60.0

_ITEMS: Final = {
    "get_variables": (("", "GetConfigurationMaxKeys", ""), ("DeviceDataCtrlr", "ItemsPerMessage", "GetVariables")),
    "set_variables": (("DeviceDataCtrlr", "ItemsPerMessage", "SetVariables"),),
    "send_list": (("", "SendLocalListMaxLength", ""), ("LocalAuthListCtrlr", "ItemsPerMessage", "")),
    "list_length": (("", "LocalAuthListMaxLength", ""), ("LocalAuthListCtrlr", "Entries", "")),
    "stack_levels": (("", "ChargeProfileMaxStackLevel", ""), ("SmartChargingCtrlr", "ProfileStackLevel", "")),
    "periods": (("", "ChargingScheduleMaxPeriods", ""), ("SmartChargingCtrlr", "PeriodsPerSchedule", "")),
}  # fmt: skip
_UNITS: Final = (
    ("", "ChargingScheduleAllowedChargingRateUnit"),
    ("SmartChargingCtrlr", "RateUnit"),
)


def limit_of(*, station_id: int, what: str, otherwise: int) -> int:
    """How many of something a station takes at once, as it said itself; else `otherwise`.

    `what` is one of get_variables, set_variables, send_list, list_length, stack_levels, periods.
    """
    return limits_of(station_ids=[station_id], what=what).get(station_id, otherwise)


def limits_of(*, station_ids: Collection[int], what: str) -> dict[int, int]:
    """The same of many stations; those that named none are left out."""
    found: dict[int, int] = {}
    for component, name, instance in _ITEMS[what]:
        said = DeviceVariable.objects.filter(
            station_id__in=station_ids,
            component=component,
            name=name,
            instance=instance,
            attribute="Actual",
            evse=0,
        )
        for pk, value in said.exclude(value="").values_list("station_id", "value"):
            found.setdefault(pk, as_limit(value, otherwise=0))
    return {pk: limit for pk, limit in found.items() if limit}


def showing_prices(*, station_ids: Collection[int]) -> set[int]:
    """Stations that told they show a driver what charging costs.

    OCPP 2.0.1 I01: `TariffCostCtrlr` is enabled for tariffs. A station that says nothing of it
    shows what it is given where it has a display for messages.
    """
    if not station_ids:
        return set()
    rows = DeviceVariable.objects.filter(
        station_id__in=station_ids,
        component__in=["TariffCostCtrlr", "DisplayMessageCtrlr"],
        name="Enabled",
        instance__in=["", "Tariff"],
        attribute="Actual",
    )
    said = {
        (pk, component, instance): (value or "").casefold() == "true"
        for pk, component, instance, value in rows.values_list(
            "station_id", "component", "instance", "value"
        )
    }
    return {
        pk
        for pk, _component, _instance in said
        if said.get(
            (pk, "TariffCostCtrlr", "Tariff"), said.get((pk, "DisplayMessageCtrlr", ""), False)
        )
    }


def showing_costs(*, station_ids: Collection[int] | None = None) -> set[int]:
    """Stations that told they understand OCA's messages of prices and costs for OCPP 1.6.

    From memory, at most a minute old, for it is asked at each card. `station_ids` looks at these.
    """
    showing = _showing_costs().keys()
    return set(showing if station_ids is None else showing & station_ids)


def shows_costs(*, identity: str) -> bool:
    """Whether this station does; from memory too."""
    return identity in _showing_costs().values()


def forget_showing_costs() -> None:
    """Ask the database again the next time."""
    _showing_costs.forget()


def _say_they_show_costs() -> dict[int, str]:
    said = DeviceVariable.objects.filter(
        Q(value__iexact="true") | Q(value="1"),
        name="CustomDisplayCostAndPrice",
        component="",
        attribute="Actual",
    )
    return dict(said.values_list("station_id", "station__identity"))


# Identities by station.
_showing_costs = Remembered(_say_they_show_costs, seconds=_REMEMBER_S)


def rate_units(*, station_ids: Sequence[int]) -> dict[int, str]:
    """Units that stations take charging limits in, as they said: by station, e.g. "Current,Power"."""
    names = {name for _component, name in _UNITS}
    rows = DeviceVariable.objects.filter(
        station_id__in=station_ids, name__in=names, attribute="Actual"
    )
    return {pk: value or "" for pk, value in rows.values_list("station_id", "value")}


def highest_levels(*, station_ids: Sequence[int]) -> dict[int, int]:
    """The highest level of charging profiles that stations take, by station, as far as they said."""
    places = {(component, name) for component, name, _instance in _ITEMS["stack_levels"]}
    rows = DeviceVariable.objects.filter(
        station_id__in=station_ids, name__in={name for _, name in places}, attribute="Actual"
    )
    return {
        pk: int(value) for pk, value in rows.values_list("station_id", "value") if is_whole(value)
    }
