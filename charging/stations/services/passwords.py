"""Changing a station's password while it runs: both open the door until one has proved itself."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from charging.stations import followers
from charging.stations.facts import ONLY_EPOCH
from charging.stations.models import ChargingStation, StationCommand
from charging.stations.rules import hash_password
from charging.stations.services.commands import queue_command
from charging.stations.states import COMMAND_OPEN, CommandAction, CommandState
from mobility.core import audit, ids
from mobility.core.errors import Conflict, Invalid
from mobility.core.principals import SYSTEM, Principal

# 20 random bytes as 40 hexadecimal digits: 1.6 stations take the key in this form alone.
_SECRET_BYTES: Final = 20


class RotationRunning(Conflict):
    """A change of password has not come to its end."""

    code = "password_rotation_running"
    message = _("The password of this station is being changed already.")


class PasswordUnused(Invalid):
    """Security profile 0 and 3 know no password."""

    code = "station_has_no_password"
    message = _("A station of this security profile has no password.")


class ProfileNotHigher(Invalid):
    """Security profiles only rise."""

    code = "security_profile_not_higher"
    message = _("A security profile can be raised, never lowered.")


@transaction.atomic
def rotate_password(*, station_id: int, at: datetime, by: Principal) -> StationCommand:
    """Give a running station a new random password over its own connection.

    1. From now on the new and the old one open the door.
    2. Accepted: only the new one. Rejected, or never sent: only the old one (`_settle`).
    3. No answer: both, until the new one opens the door; see `open_connections`. When the station
       has come back with the old one, a new change may be ordered and replaces this one.
    4. Only the connection that is open now hears of it: whoever comes in meanwhile, perhaps with a
       leaked old password, is not told the new one.

    A station that is not connected hears nothing and keeps its old one; the command says so.
    Raises RotationRunning, PasswordUnused.
    """
    station = ChargingStation.objects.select_for_update().get(pk=station_id)
    if station.security_profile not in (1, 2):
        raise PasswordUnused
    if station.previous_password_hash and _may_still_come_true(station):
        raise RotationRunning
    secret = secrets.token_hex(_SECRET_BYTES)
    if station.connected_at is not None:
        station.previous_password_hash = station.previous_password_hash or station.password_hash
        station.password_hash = hash_password(password=secret, salt=ids.secret(12))
        station.save(update_fields=["password_hash", "previous_password_hash"])
    audit.record(by=by, action="rotate_password", row=station, at=at)
    return queue_command(
        station_id=station_id,
        action=CommandAction.SET_PASSWORD,
        payload={"password": secret, ONLY_EPOCH: station.connection_epoch},
        idempotency_key=f"password:{station_id}:{ids.short_code(16)}",
        at=at,
        by=by,
    )


def _may_still_come_true(station: ChargingStation) -> bool:
    """Whether the station may have taken the password of the last change.

    Not if it has connected since: that was with the old one, or the change would be over.
    """
    last = (
        StationCommand.objects.filter(station=station, action=CommandAction.SET_PASSWORD)
        .order_by("-pk")
        .first()
    )
    if last is None:
        return False
    reconnected = station.connection_epoch > (last.sent_epoch or 0)
    return last.state in COMMAND_OPEN or station.connected_at is None or not reconnected


def _settle(command: StationCommand, at: datetime) -> None:
    """In the transaction that ends the command: which of the two passwords its end leaves.

    What was never sent is not there; unanswered, refused as malformed or cut off leaves both.
    """
    station_id, outcome = command.station_id, command.state
    station = ChargingStation.objects.select_for_update().get(pk=station_id)
    if not station.previous_password_hash:
        return
    if outcome == CommandState.REJECTED or command.sent_at is None:
        station.password_hash = station.previous_password_hash
    elif outcome != CommandState.ACCEPTED:
        return
    station.previous_password_hash = ""
    station.save(update_fields=["password_hash", "previous_password_hash"])
    audit.record(by=SYSTEM, action=f"password:{outcome}", row=station, at=at)


@transaction.atomic
def order_security_profile(
    *,
    station_id: int,
    profile: int,
    at: datetime,
    by: Principal,
) -> ChargingStation:
    """Let a station rise to a higher profile with its first connection that proves it.

    Until then the present one opens the door; afterwards nothing lower does, ever.
    Raises ProfileNotHigher.
    """
    station = ChargingStation.objects.select_for_update().get(pk=station_id)
    if not station.security_profile < profile <= 3:
        raise ProfileNotHigher
    station.next_security_profile = profile
    station.save(update_fields=["next_security_profile"])
    audit.record(by=by, action=f"order_security_profile:{profile}", row=station, at=at)
    return station


followers.follow([CommandAction.SET_PASSWORD], finished=_settle)
