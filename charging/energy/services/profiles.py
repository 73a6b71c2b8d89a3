"""Charging profiles on stations: sent as commands, in force once confirmed.

DomainError
└── Conflict  SiteIsShared, ProfileBeyondStation
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from charging.devices import queries as devices
from charging.energy import rules
from charging.energy.events import SiteLoadChanged
from charging.energy.models import ChargingProfile, SiteLoad
from charging.energy.states import ProfilePurpose, ProfileState
from charging.stations.models import Connector, StationCommand
from charging.stations.services import queue_command
from charging.stations.states import CommandAction, CommandState
from mobility.core import ids, outbox
from mobility.core.errors import Conflict
from mobility.core.principals import SYSTEM
from mobility.core.transitions import move

# A session's plan ends by itself: a station that hears no more of us falls back to its share.
VALID_FOR: Final = timedelta(minutes=15)
LEVEL: Final = 0
# Above the share: what a newcomer may draw while we are heard.
GUARD_LEVEL: Final = 1
_PREFIX: Final = "profile:"


class SiteIsShared(Conflict):
    """We share out what this site draws; a profile by hand would undo it."""

    code = "site_is_shared"
    message = _("This site's load is shared out. Change its limit instead of sending a profile.")


class ProfileBeyondStation(Conflict):
    """The station has told that it takes no such profile (OCPP 2.0.1 block K)."""

    code = "profile_beyond_station"
    message = _(
        "This station takes no profile with so many periods, at this level or in this unit."
    )


def send_profile(
    *,
    connector: Connector,
    power_type: str,
    purpose: str,
    limit_da: int,
    unit: str,
    at: datetime,
    level: int = LEVEL,
    valid_for: timedelta | None = None,
    transaction_ref: str = "",
) -> ChargingProfile:
    """Send one of our profiles to an EVSE by its first connector; in the caller's transaction.

    One row and one number for each connector, purpose and level, so that the new one replaces the
    old. With `valid_for` it ends by itself.
    """
    valid_to = None if valid_for is None else at + valid_for
    row, _made = ChargingProfile.objects.get_or_create(
        connector=connector, purpose=purpose, stack_level=level
    )
    if transaction_ref != row.transaction_ref:
        # The station dropped the last transaction's plan with the transaction.
        row.confirmed_da = row.confirmed_valid_to = None
    row.transaction_ref, row.limit_da, row.valid_to = transaction_ref, limit_da, valid_to
    row.sent_at = at
    row.save()
    if row.state != ProfileState.ASKED:
        move(row, to=ProfileState.ASKED, at=at, by=SYSTEM, problem="")
    command = queue_command(
        station_id=connector.evse.station_id,
        connector_id=connector.pk,
        action=CommandAction.SET_PROFILE,
        payload={"profile": wire_profile(row, unit=unit, power_type=power_type, at=at)},
        idempotency_key=f"{_PREFIX}{row.pk}:{ids.uuid7()}",
        purpose_ref=f"{_PREFIX}{row.pk}",
        at=at,
        by=SYSTEM,
        ttl_s=60,
    )
    ChargingProfile.objects.filter(pk=row.pk).update(command=command)
    return row


def wire_profile(
    row: ChargingProfile, *, unit: str, power_type: str, at: datetime
) -> dict[str, Any]:
    """The profile as the command's payload: one period, so that any station has room for it."""
    amps = row.limit_da / 10
    limit = amps if unit == "A" else rules.watts(current_da=row.limit_da, power_type=power_type)
    profile: dict[str, Any] = {
        "id": row.pk,
        "stack_level": row.stack_level,
        "purpose": row.purpose,
        "unit": unit,
        "periods": [{"start_s": 0, "limit": limit}],
    }
    if row.valid_to is None:
        return {**profile, "kind": "Relative"}
    if row.purpose != ProfilePurpose.TX:
        # From the begin of whichever session, for as long as it is valid.
        return {**profile, "kind": "Relative", "valid_to": _text(row.valid_to)}
    return {
        **profile,
        "kind": "Absolute",
        "transaction_ref": row.transaction_ref,
        "start": _text(at),
        "valid_to": _text(row.valid_to),
    }


def guard_profile(command: StationCommand, at: datetime) -> None:
    """Let nobody else send or clear profiles where we share out, nor what the station cannot take.

    Raises SiteIsShared, ProfileBeyondStation.
    """
    if command.purpose_ref.startswith(_PREFIX):
        return
    profile = command.payload.get("profile", {})
    if profile and not _takes(command.station_id, profile):
        raise ProfileBeyondStation
    if profile.get("purpose") == ProfilePurpose.STATION_MAX:
        # A limit of the whole station only ever lowers what we give it.
        return
    site_id = command.station.site_id
    if SiteLoad.objects.filter(site=site_id, managed=True).exists():
        raise SiteIsShared


def _takes(station_id: int, profile: Mapping[str, Any]) -> bool:
    """Whether a profile keeps to what the station told of itself; of what it never told all is."""
    periods = len(profile.get("periods", ()))
    level = int(profile.get("stack_level", LEVEL))
    units = devices.rate_units(station_ids=[station_id]).get(station_id, "")
    return (
        periods <= devices.limit_of(station_id=station_id, what="periods", otherwise=periods)
        and level <= devices.highest_levels(station_ids=[station_id]).get(station_id, level)
        and rules.takes_unit(profile.get("unit", "A"), said=units)
    )


@transaction.atomic
def note_profile_answer(*, command: StationCommand, at: datetime) -> None:
    """The station has the profile, refused it, or perhaps has it; the site is planned anew.

    A worker writes it down, not the gateway: the planner holds these rows while it plans a whole
    site, and no station's answer may wait for that. The site's row comes first, as in the plan.
    """
    row = _answered(command)
    if row is None:
        return
    if command.state == CommandState.ACCEPTED:
        move(
            row,
            to=ProfileState.SET,
            at=at,
            by=SYSTEM,
            confirmed_da=row.limit_da,
            confirmed_valid_to=row.valid_to,
        )
    else:
        word = str(command.result.get("status") or command.result.get("reason", ""))[:40]
        move(row, to=ProfileState.REJECTED, at=at, by=SYSTEM, problem=word)
        if command.state != CommandState.REJECTED:
            _believe_both(row)
    if command.result.get("reason") != "offline":
        site_id = row.connector.evse.station.site_id
        outbox.publish(SiteLoadChanged(site_id=site_id, why="profile"), at=at)


def _believe_both(row: ChargingProfile) -> None:
    """Without an answer the station may have it: until it is sent again the higher one counts.

    A plan counts as long as either would hold. A default that was never confirmed stays unknown,
    which counts as all the station can draw; a guard is never more than the share that follows it.
    """
    if row.purpose == ProfilePurpose.TX:
        row.confirmed_valid_to = max(filter(None, (row.confirmed_valid_to, row.valid_to)))
    elif row.confirmed_da is None:
        return
    row.confirmed_da = max(row.confirmed_da or 0, row.limit_da)
    row.save(update_fields=["confirmed_da", "confirmed_valid_to"])


def is_of_plan(purpose_ref: str) -> bool:
    """Whether a command's purpose is a profile of ours."""
    return purpose_ref.startswith(_PREFIX)


def _answered(command: StationCommand) -> ChargingProfile | None:
    """The profile that this command brought, locked behind its site; None where a newer one does."""
    SiteLoad.objects.select_for_update().filter(site=command.station.site_id).first()
    row = (
        ChargingProfile.objects.select_for_update(of=("self",))
        .select_related("connector__evse__station")
        .filter(pk=int(command.purpose_ref.removeprefix(_PREFIX)), state=ProfileState.ASKED)
        .first()
    )
    return row if row is not None and row.command_id in (None, command.pk) else None


def _text(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
