"""Variables: kept as stations say them, asked for and changed in portions a station can take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from charging.devices import queries, rules
from charging.devices.facts import VariableSaid
from charging.devices.models import DeviceVariable
from charging.devices.services.bounds import fitting
from charging.devices.states import Kept
from charging.stations.models import ChargingStation, StationCommand
from charging.stations.services import check_command, queue_command
from charging.stations.states import CommandAction
from mobility.core.errors import Invalid
from mobility.core.principals import Principal

_PLACE: Final = (
    "component",
    "component_instance",
    "evse",
    "connector",
    "name",
    "instance",
    "attribute",
)
_TEXT: Final = 50
# Values that must not lie about in a table.
_SECRET: Final = frozenset({"AuthorizationKey", "BasicAuthPassword"})
_SECRET_FOLDED: Final = frozenset(name.casefold() for name in _SECRET)


class VariableRepeated(Invalid):
    """One call may name each variable once."""

    code = "variable_repeated"
    message = _("%(name)s is there twice with different values.")


class PasswordIsRotated(Invalid):
    """A password that only the station knew would lock it out."""

    code = "password_is_rotated"
    message = _("A station's password is changed by rotating it, so that both sides know it.")


def keep_variables(*, station_id: int, said: Iterable[VariableSaid], at: datetime) -> int:
    """Remember what a station said of its variables as of `at`; returns how many rows it made.

    An older word never overwrites a newer one; a refusal leaves the last value as it is. Of new
    variables as many as `bounds.MOST` allows.
    """
    newest = {one.place: _cut(one) for one in said if one.name not in _SECRET}
    known = {
        tuple(getattr(row, name) for name in _PLACE): row
        for row in DeviceVariable.objects.filter(
            station_id=station_id, name__in={one.name[:_TEXT] for one in newest.values()}
        )
    }
    fresh = fitting(
        [one for one in newest.values() if one.place not in known],
        kept=DeviceVariable.objects.filter(station_id=station_id),
        kind=Kept.VARIABLES,
        station_id=station_id,
        at=at,
    )
    told = [one for one in newest.values() if one.place in known and known[one.place].at <= at]
    rows = [
        _row(known.get(one.place), one, station_id=station_id, at=at) for one in [*told, *fresh]
    ]
    DeviceVariable.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["station", *_PLACE],
        update_fields=["value", "mutability", "characteristics", "problem", "at"],
    )
    return len(rows)


def read_variables(
    *,
    station: ChargingStation,
    variables: Sequence[Mapping[str, Any]],
    idempotency_key: str,
    at: datetime,
    by: Principal,
) -> list[StationCommand]:
    """Ask for variables, in as many calls as the station needs; none at all asks 1.6 for all keys.

    Raises CommandImpossible, CommandMalformed.
    """
    wanted = _once(variables)
    return _ask(station, CommandAction.GET_VARIABLES, wanted, key=idempotency_key, at=at, by=by)


def write_variables(
    *,
    station: ChargingStation,
    variables: Sequence[Mapping[str, Any]],
    idempotency_key: str,
    at: datetime,
    by: Principal,
) -> list[StationCommand]:
    """Change variables (each with its `value`), in as many calls as the station needs.

    Raises VariableRepeated, PasswordIsRotated, CommandImpossible, CommandMalformed.
    """
    if any(str(one.get("name")).casefold() in _SECRET_FOLDED for one in variables):
        raise PasswordIsRotated
    wanted = _once(variables)
    return _ask(station, CommandAction.SET_VARIABLES, wanted, key=idempotency_key, at=at, by=by)


def note_variables(command: StationCommand, at: datetime) -> None:
    """The answer to a question or a change; called in the transaction that ends the command."""
    said = command.result.get("details", {}).get("variables", ())
    keep_variables(
        station_id=command.station_id,
        said=[_from_answer(one) for one in said],
        at=at,
    )


def _once(variables: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each variable once; B05.FR.13: a call never names the same one twice."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for variable in variables:
        place = tuple(variable.get(name) or _default(name) for name in _PLACE)
        before = found.setdefault(place, dict(variable))
        if before.get("value") != variable.get("value"):
            raise VariableRepeated(name=str(variable.get("name")))
    return list(found.values())


def _default(name: str) -> Any:
    return {"evse": 0, "connector": 0, "attribute": "Actual"}.get(name, "")


def _ask(
    station: ChargingStation,
    action: str,
    wanted: list[dict[str, Any]],
    *,
    key: str,
    at: datetime,
    by: Principal,
) -> list[StationCommand]:
    size = _portion(station, action)
    payloads = [{"variables": list(part)} for part in rules.portions(wanted, size=size)]
    # Without names a 1.6 station tells all it has.
    payloads = payloads or [{"variables": []}]
    for payload in payloads:
        check_command(station=station, action=action, payload=payload, at=at)
    return [
        queue_command(
            station_id=station.pk,
            action=action,
            payload=payload,
            idempotency_key=f"{key}:{number}"[-128:],
            at=at,
            by=by,
            # Each call waits for those before it.
            ttl_s=60 + 30 * number,
        )
        for number, payload in enumerate(payloads)
    ]


def _portion(station: ChargingStation, action: str) -> int:
    if action == CommandAction.SET_VARIABLES and station.ocpp_version == "ocpp1.6":
        return 1
    return queries.limit_of(station_id=station.pk, what=action, otherwise=queries.SOME_VARIABLES)


def _from_answer(one: Mapping[str, Any]) -> VariableSaid:
    """The answer to a get carries a value or a problem, that to a set what was asked and a status."""
    status = one.get("status", "")
    done = status in {"", "Accepted", "RebootRequired"}
    place = {name: one[name] for name in _PLACE if name in one}
    return VariableSaid(
        **place,
        value=one.get("value") if done and not one.get("problem") else None,
        mutability=one.get("mutability", ""),
        problem=one.get("problem", "") or ("" if status == "Accepted" else status),
    )


def _row(
    known: DeviceVariable | None, said: VariableSaid, *, station_id: int, at: datetime
) -> DeviceVariable:
    refused = bool(said.problem) and said.value is None
    return DeviceVariable(
        station_id=station_id,
        **dict(zip(_PLACE, said.place, strict=True)),
        value=known.value if refused and known else said.value,
        mutability=said.mutability or (known.mutability if known else ""),
        characteristics=said.characteristics or (known.characteristics if known else {}),
        problem=said.problem,
        at=at,
    )


def _cut(said: VariableSaid) -> VariableSaid:
    """PostgreSQL stores no NUL; nothing else of what passed its schema is too long."""
    if said.value is None or "\x00" not in said.value:
        return said
    return replace(said, value=said.value.replace("\x00", ""))
