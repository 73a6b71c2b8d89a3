"""Frames in plain words: what an operator reads on a station's page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import orjson
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

_CALL, _RESULT, _ERROR, _RESULT_ERROR, _SEND = 2, 3, 4, 5, 6
_MOST_DETAILS: Final = 6
_LONGEST: Final = 60

_NAMES: Final = {
    "Authorize": gettext_lazy("May this card charge?"),
    "BootNotification": gettext_lazy("The station started"),
    "Heartbeat": gettext_lazy("Sign of life"),
    "StatusNotification": gettext_lazy("Status of a connector"),
    "StartTransaction": gettext_lazy("A charge began"),
    "StopTransaction": gettext_lazy("A charge ended"),
    "TransactionEvent": gettext_lazy("News of a charge"),
    "MeterValues": gettext_lazy("Meter values"),
    "RemoteStartTransaction": gettext_lazy("Start a charge"),
    "RequestStartTransaction": gettext_lazy("Start a charge"),
    "RemoteStopTransaction": gettext_lazy("Stop a charge"),
    "RequestStopTransaction": gettext_lazy("Stop a charge"),
    "Reset": gettext_lazy("Restart the station"),
    "UnlockConnector": gettext_lazy("Unlock a connector"),
    "ChangeAvailability": gettext_lazy("Change availability"),
    "ChangeConfiguration": gettext_lazy("Change a setting"),
    "GetConfiguration": gettext_lazy("Read settings"),
    "SetVariables": gettext_lazy("Change settings"),
    "GetVariables": gettext_lazy("Read settings"),
    "ReserveNow": gettext_lazy("Reserve a connector"),
    "CancelReservation": gettext_lazy("Cancel a reservation"),
    "SetChargingProfile": gettext_lazy("Set a charging profile"),
    "ClearChargingProfile": gettext_lazy("Remove charging profiles"),
    "SendLocalList": gettext_lazy("Send the list of cards"),
    "TriggerMessage": gettext_lazy("Ask for a message"),
    "ExtendedTriggerMessage": gettext_lazy("Ask for a message"),
    "UpdateFirmware": gettext_lazy("Update the firmware"),
    "FirmwareStatusNotification": gettext_lazy("Progress of the firmware update"),
    "GetLog": gettext_lazy("Ask for a log"),
    "GetDiagnostics": gettext_lazy("Ask for diagnostics"),
    "SignCertificate": gettext_lazy("Asks for a certificate"),
    "CertificateSigned": gettext_lazy("Bring a signed certificate"),
    "InstallCertificate": gettext_lazy("Install a certificate"),
    "SecurityEventNotification": gettext_lazy("Security event"),
    "DataTransfer": gettext_lazy("Private message of the maker"),
}
# What says most stands first; other fields follow in their own order.
_FIRST: Final = (
    "status",
    "connectorStatus",
    "eventType",
    "triggerReason",
    "connectorId",
    "evseId",
    "transactionId",
    "idTag",
    "idToken",
    "meterStart",
    "meterStop",
    "reason",
    "errorCode",
    "key",
    "requestedMessage",
    "type",
)


def plain_words(*, kind: int, action: str, body: str) -> str:
    """One line about a frame; a frame that cannot be read says so."""
    try:
        frame = orjson.loads(body)
    except orjson.JSONDecodeError:
        return _("Not readable as a message")
    if not isinstance(frame, list):
        return _("Not readable as a message")
    title = str(_NAMES.get(action, action)) or _("A message")
    if kind in (_CALL, _SEND):
        return _joined(title, _details(frame[3] if len(frame) > 3 else {}))
    if kind == _RESULT:
        told = _details(frame[2] if len(frame) > 2 else {})
        return _joined(_("Answer to “%(title)s”") % {"title": title}, told)
    if kind in (_ERROR, _RESULT_ERROR):
        told = ", ".join(str(part) for part in frame[2:4] if part)
        return _joined(_("Refusal of “%(title)s”") % {"title": title}, told)
    return _("Not readable as a message")


def _joined(title: str, told: str) -> str:
    return f"{title}: {told}" if told else title


def _details(payload: Any) -> str:
    if not isinstance(payload, dict):
        return ""
    leaves = dict(_leaves(payload))
    ranked = sorted(leaves, key=lambda name: _rank(name.rpartition(".")[2]))
    shown = [f"{name} {leaves[name][:_LONGEST]}" for name in ranked[:_MOST_DETAILS]]
    return ", ".join(shown) + (" …" if len(ranked) > _MOST_DETAILS else "")


def _rank(name: str) -> int:
    return _FIRST.index(name) if name in _FIRST else len(_FIRST)


def _leaves(payload: dict[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Names and values at the ends of the tree; of lists the first element speaks."""
    for name, value in payload.items():
        place = f"{path}.{name}" if path else name
        first = (value or [""])[0] if isinstance(value, list) else value
        if isinstance(first, dict):
            yield from _leaves(first, place)
        else:
            yield place, str(first)
