"""The words of an operator's pages: steps of commissioning, parts of a station's page."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class StepCode(models.TextChoices):
    """What has to happen until a new station earns money."""

    HANDSHAKE = "handshake", _("The station has connected")
    BOOT = "boot", _("It introduced itself and was accepted")
    STATUS = "status", _("Every connector told its status")
    HEARTBEAT = "heartbeat", _("First heartbeat")
    SESSION = "session", _("First authorised charge")
    READINGS = "readings", _("Meter values arrive")


class PartName(models.TextChoices):
    """The parts of a station's page that keep themselves up to date."""

    CHECKLIST = "checklist", _("Commissioning")
    NOW = "now", _("Now")
    TICKETS = "tickets", _("Tickets")
    COMMANDS = "commands", _("Latest commands")
    SESSIONS = "sessions", _("Latest sessions")
    FRAMES = "frames", _("Messages")
    REFUSED = "refused", _("Refused connections")
    QUIRKS = "quirks", _("Breaches of the standard")
    SAFETY = "safety", _("Certificates and security")
    DEVICE = "device", _("Variables, firmware and logs")
    RECORDS = "records", _("Records")
