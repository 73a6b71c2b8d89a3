"""Telling a station to come with a higher security profile (2.0.1 A05, 1.6 security A05).

1. For profile 3 it needs a certificate first: it is asked to request one, and goes on when it has it.
2. A 1.6 station gets its SecurityProfile; a 2.x station a network profile in a slot it does not use
   now, and then that slot first in its priorities.
3. It restarts when it is idle. Its first connection that proves the profile makes it count; until
   then the old way stays open, so a station that fails falls back to it.

Each step waits for the answer to the one before; a refusal ends it, and a new order begins anew.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db import transaction

from charging.certificates.models import StationCertificate
from charging.certificates.states import LIVING, CertificateKind
from charging.devices.models import DeviceVariable
from charging.stations.models import ChargingStation, StationCommand
from charging.stations.services import order_security_profile, queue_command
from charging.stations.states import CommandAction, CommandState
from mobility.core import ids
from mobility.core.principals import SYSTEM, Principal

PURPOSE: Final = "rise"
_BY_CERTIFICATE: Final = 3
_ENCRYPTED: Final = 2
_COMPONENT: Final = "OCPPCommCtrlr"
_PRIORITY: Final = "NetworkConfigurationPriority"
# How a network profile names its version and its line; 2.0.1 has no word for any line.
_SPOKEN: Final = {"ocpp2.0.1": ("OCPP20", "Wired0"), "ocpp2.1": ("OCPP21", "Any")}
_ANSWER_S: Final = 30


@transaction.atomic
def raise_security_profile(
    *, station_id: int, profile: int, at: datetime, by: Principal
) -> ChargingStation:
    """Let a station rise to a higher profile, and tell it to where it can be told.

    Raises ProfileNotHigher.
    """
    station = order_security_profile(station_id=station_id, profile=profile, at=at, by=by)
    tell_profile(station=station, at=at, by=by)
    return station


def tell_profile(*, station: ChargingStation, at: datetime, by: Principal) -> StationCommand | None:
    """Ask for the next step towards the ordered profile; in the caller's transaction.

    None where nobody can be told: the station is away, we have no address of that kind, or it would
    have no password to come with.
    """
    profile = station.next_security_profile
    if profile is None or station.connected_at is None:
        return None
    if profile == _BY_CERTIFICATE and not _is_certified(station):
        trigger = {"message": "sign_certificate"}
        return _ask(station, CommandAction.TRIGGER, trigger, purpose=PURPOSE, at=at, by=by)
    url = settings.OCPP_TLS_URL if profile >= _ENCRYPTED else settings.OCPP_URL
    if not url or (profile < _BY_CERTIFICATE and not station.password_hash):
        return None
    if station.ocpp_version not in _SPOKEN:
        wish = {"variables": [{"name": "SecurityProfile", "value": str(profile)}]}
        return _ask(station, CommandAction.SET_VARIABLES, wish, purpose=PURPOSE, at=at, by=by)
    slot, active = _slots(station)
    version, line = _SPOKEN[station.ocpp_version]
    connection = {
        "ocppVersion": version,
        "ocppTransport": "JSON",
        "ocppCsmsUrl": url,
        "messageTimeout": _ANSWER_S,
        "securityProfile": profile,
        "ocppInterface": line,
    }
    return _ask(
        station,
        CommandAction.SET_NETWORK_PROFILE,
        {"body": {"configurationSlot": slot, "connectionData": connection}},
        purpose=f"{PURPOSE}:{slot},{active}",
        at=at,
        by=by,
    )


def go_on(command: StationCommand, at: datetime) -> None:
    """A step was answered: the next one, where it was a yes. In the transaction that ended it."""
    purpose, _, priority = command.purpose_ref.partition(":")
    if purpose != PURPOSE or command.state != CommandState.ACCEPTED:
        return
    by = Principal(command.by)
    if command.action == CommandAction.SET_NETWORK_PROFILE:
        first = {"component": _COMPONENT, "name": _PRIORITY, "value": priority}
        wish: dict[str, Any] = {"variables": [first]}
        action = CommandAction.SET_VARIABLES
    else:
        wish, action = {"kind": "soft"}, CommandAction.RESET
    _ask(command.station, action, wish, purpose=PURPOSE, at=at, by=by)


def certificate_arrived(*, station_id: int, at: datetime) -> None:
    """A station took its chain: one that was to rise to profile 3 can now."""
    station = ChargingStation.objects.filter(
        pk=station_id, next_security_profile=_BY_CERTIFICATE
    ).first()
    if station is not None:
        tell_profile(station=station, at=at, by=SYSTEM)


def _is_certified(station: ChargingStation) -> bool:
    held = StationCertificate.objects.filter(
        station=station, kind=CertificateKind.STATION, state__in=LIVING
    )
    return held.exists()


def _slots(station: ChargingStation) -> tuple[int, int]:
    """A slot for the new network profile, and the one in use, as far as the station said."""
    known = DeviceVariable.objects.filter(
        station=station, component=_COMPONENT, name=_PRIORITY, attribute="Actual"
    ).first()
    active = next(iter(_numbers(known.value if known else "")), 1)
    allowed = _numbers(known.characteristics.get("valuesList", "") if known else "")
    return next((slot for slot in (*allowed, 2, 1) if slot != active), 2), active


def _numbers(text: str | None) -> list[int]:
    return [int(part) for part in (text or "").split(",") if part.strip().isdecimal()]


def _ask(
    station: ChargingStation,
    action: str,
    payload: dict[str, Any],
    *,
    purpose: str,
    at: datetime,
    by: Principal,
) -> StationCommand:
    return queue_command(
        station_id=station.pk,
        action=action,
        payload=payload,
        idempotency_key=f"{PURPOSE}:{station.pk}:{ids.short_code(16)}",
        purpose_ref=purpose,
        ttl_s=60,
        at=at,
        by=by,
    )
