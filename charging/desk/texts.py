"""What an operator reads: refused handshakes in plain words, the steps of commissioning."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from charging.desk.rules import Step
from charging.desk.states import StepCode
from charging.stations.states import Registration

# Why a handshake was refused and what helps, by the code the gateway wrote down.
REFUSALS: Final[dict[str, str | Promise]] = {
    "unknown_identity": _(
        "No station has this identity. Compare the last part of the address typed into the charger.",
    ),
    "no_credentials": _(
        "The charger sent no password. Enter it, and choose a security profile with a password.",
    ),
    "wrong_user": _(
        "The user name sent is not the station's identity. Both have to be the same, letter by letter.",
    ),
    "wrong_password": _(
        "The password is wrong. Type it again, or make a new one on this page.",
    ),
    "tls_required": _(
        "This security profile needs an encrypted address: one that begins with wss://.",
    ),
    "tls_failed": _(
        "Encryption could not be agreed on. Check the charger's root certificates and its clock.",
    ),
    "no_certificate": _("Security profile 3 needs a client certificate; the charger showed none."),
    "wrong_certificate": _("The client certificate was issued for another station."),
    "revoked_certificate": _("The client certificate was revoked."),
    "wrong_serial": _("The serial number in the certificate is not that of this charger."),
    "no_subprotocol": _(
        "The charger offered no OCPP version that this station may speak. Compare its setting with the allowed versions.",
    ),
    "busy": _("Too many chargers came back at once; it is let in when it tries again."),
}

# What a station can be asked to say, by the word of its command.
MESSAGES: Final[dict[str, str | Promise]] = {
    "status": _("Status of the connectors"),
    "boot": _("Introduction"),
    "heartbeat": _("Heartbeat"),
    "meter_values": _("Meter values"),
    "transaction": _("News of the charge"),
    "firmware": _("Progress of the firmware update"),
    "log": _("Progress of the log"),
    "sign_certificate": _("Request for a certificate"),
    "sign_v2g_certificate": _("Request for an ISO 15118 certificate"),
}

_WAITING: Final[dict[str, str | Promise]] = {
    StepCode.HANDSHAKE: _("Nobody with this identity has knocked yet."),
    StepCode.BOOT: _("It has not introduced itself yet."),
    StepCode.STATUS: _("No connector has told its status yet."),
    StepCode.HEARTBEAT: _("Comes by itself some minutes after the start."),
    StepCode.SESSION: _("Hold a known card to the charger, or start a charge from its page."),
    StepCode.READINGS: _("Come with the first charge."),
}


def refusal(reason: str) -> str:
    """A sentence about a refused handshake; an unknown code is shown as it is."""
    return str(REFUSALS.get(reason, reason))


def remark(step: Step) -> str:
    """What stands below a step that is not done: what went wrong, or what it waits for."""
    if step.done:
        return ""
    if step.code == StepCode.HANDSHAKE and step.trouble:
        return refusal(step.trouble)
    if step.code == StepCode.BOOT and step.trouble:
        shown = Registration(step.trouble).label
        return _now("It introduced itself; its registration is “%(state)s”.") % {"state": shown}
    if step.code == StepCode.STATUS and step.count:
        told = {"count": step.count, "total": step.total}
        return _now("%(count)d of %(total)d connectors have told theirs.") % told
    return str(_WAITING[step.code])
