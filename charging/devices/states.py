"""The life of jobs that a station does for us over minutes: firmware, logs, reports, lists.

A station says how far it got in its own order, sometimes twice and sometimes late. Each table lets
a job move forward only: a status of an earlier stage never takes back a later one, and nothing
takes back an end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


def _forward(stages: Sequence[Iterable[str]], ends: Iterable[str]) -> dict[str, frozenset[str]]:
    """From each stage to its equals, to all later ones and to every end."""
    table: dict[str, frozenset[str]] = {}
    later: set[str] = set(ends)
    for stage in reversed([list(stage) for stage in stages]):
        later |= set(stage)
        table |= {word: frozenset(later - {word}) for word in stage}
    return table


class FirmwareState(models.TextChoices):
    """How far an update of a station's firmware is; the words of OCPP 2.x."""

    ASKED = "Asked", _("Asked")
    ACCEPTED = "Accepted", pgettext_lazy("job", "Accepted")
    DOWNLOAD_SCHEDULED = "DownloadScheduled", _("Download scheduled")
    DOWNLOADING = "Downloading", _("Downloading")
    DOWNLOAD_PAUSED = "DownloadPaused", _("Download paused")
    DOWNLOADED = "Downloaded", _("Downloaded")
    SIGNATURE_VERIFIED = "SignatureVerified", _("Signature verified")
    INSTALL_SCHEDULED = "InstallScheduled", _("Installation scheduled")
    INSTALLING = "Installing", _("Installing")
    INSTALL_REBOOTING = "InstallRebooting", _("Restarting")
    INSTALLED = "Installed", _("Installed")
    DOWNLOAD_FAILED = "DownloadFailed", _("Download failed")
    INVALID_SIGNATURE = "InvalidSignature", _("Signature is not valid")
    INSTALL_VERIFICATION_FAILED = "InstallVerificationFailed", _("Verification failed")
    INSTALLATION_FAILED = "InstallationFailed", _("Installation failed")
    REFUSED = "Refused", _("Refused by the station")
    REPLACED = "Replaced", _("Replaced by a newer job")
    LOST = "Lost", _("Nothing was heard any more")


_F = FirmwareState
FIRMWARE_ENDS: Final[frozenset[str]] = frozenset(
    {
        _F.INSTALLED,
        _F.DOWNLOAD_FAILED,
        _F.INVALID_SIGNATURE,
        _F.INSTALL_VERIFICATION_FAILED,
        _F.INSTALLATION_FAILED,
        _F.REFUSED,
        _F.REPLACED,
        _F.LOST,
    },
)
FIRMWARE_MOVES: Final[dict[str, frozenset[str]]] = _forward(
    [
        [_F.ASKED],
        [_F.ACCEPTED],
        [_F.DOWNLOAD_SCHEDULED],
        # A download may pause and go on.
        [_F.DOWNLOADING, _F.DOWNLOAD_PAUSED],
        [_F.DOWNLOADED],
        [_F.SIGNATURE_VERIFIED],
        [_F.INSTALL_SCHEDULED],
        # A station may restart before and within the installation.
        [_F.INSTALLING, _F.INSTALL_REBOOTING],
    ],
    FIRMWARE_ENDS,
) | {
    # We gave it up too early: what the station says counts.
    _F.LOST: frozenset(FIRMWARE_ENDS - {_F.LOST, _F.REPLACED, _F.REFUSED}),
}


class LogState(models.TextChoices):
    """How far the upload of a station's log is; the words of OCPP 2.x."""

    ASKED = "Asked", _("Asked")
    ACCEPTED = "Accepted", pgettext_lazy("job", "Accepted")
    UPLOADING = "Uploading", _("Uploading")
    UPLOADED = "Uploaded", _("Uploaded")
    UPLOAD_FAILURE = "UploadFailure", _("Upload failed")
    BAD_MESSAGE = "BadMessage", _("The request was not understood")
    NOT_SUPPORTED = "NotSupportedOperation", _("Not supported by the station")
    PERMISSION_DENIED = "PermissionDenied", _("The address refused the upload")
    CANCELED = "AcceptedCanceled", _("Given up for a newer request")
    EMPTY = "Empty", _("The station has no such log")
    REFUSED = "Refused", _("Refused by the station")
    LOST = "Lost", _("Nothing was heard any more")


class LogKind(models.TextChoices):
    """Which log of a station."""

    DIAGNOSTICS = "diagnostics", _("Diagnostics")
    SECURITY = "security", _("Security events")


_L = LogState
LOG_ENDS: Final[frozenset[str]] = frozenset(
    {
        _L.UPLOADED,
        _L.UPLOAD_FAILURE,
        _L.BAD_MESSAGE,
        _L.NOT_SUPPORTED,
        _L.PERMISSION_DENIED,
        _L.CANCELED,
        _L.EMPTY,
        _L.REFUSED,
        _L.LOST,
    },
)
LOG_MOVES: Final[dict[str, frozenset[str]]] = _forward(
    [[_L.ASKED], [_L.ACCEPTED], [_L.UPLOADING]],
    LOG_ENDS,
) | {_L.LOST: frozenset({_L.UPLOADED, _L.UPLOAD_FAILURE, _L.PERMISSION_DENIED})}


class ReportState(models.TextChoices):
    """How much of a report in parts has come."""

    ASKED = "asked", _("Asked")
    RECEIVING = "receiving", _("Parts are coming")
    COMPLETE = "complete", _("Complete")
    INCOMPLETE = "incomplete", _("Parts are missing")
    EMPTY = "empty", _("Nothing to report")
    REFUSED = "refused", _("Refused by the station")


_R = ReportState
REPORT_MOVES: Final[dict[str, frozenset[str]]] = {
    _R.ASKED: frozenset({_R.RECEIVING, _R.COMPLETE, _R.INCOMPLETE, _R.EMPTY, _R.REFUSED}),
    _R.RECEIVING: frozenset({_R.COMPLETE, _R.INCOMPLETE}),
    # The lost part came after all.
    _R.INCOMPLETE: frozenset({_R.COMPLETE}),
    # The answer to the request was late or lost, the parts are here.
    _R.REFUSED: frozenset({_R.RECEIVING, _R.COMPLETE}),
}


class ReportKind(models.TextChoices):
    """What the parts of a report contain."""

    BASE = "base", _("Device model")
    CUSTOM = "custom", _("Chosen variables")
    MONITORING = "monitoring", _("Monitors")
    CUSTOMER = "customer", _("Customer information")
    DISPLAY = "display", _("Display messages")
    PROFILES = "profiles", _("Charging profiles")
    DER = "der", _("Grid support functions")


class ListState(models.TextChoices):
    """Whether a station's local list is what it should be."""

    UNKNOWN = "unknown", _("Unknown")
    SENDING = "sending", _("Being sent")
    SYNCHRONISED = "synchronised", _("Up to date")
    FAILED = "failed", _("The station did not take it")
    NOT_SUPPORTED = "not_supported", _("The station keeps no list")


_S = ListState
LIST_MOVES: Final[dict[str, frozenset[str]]] = {
    state: frozenset(set(ListState) - {state}) for state in ListState
}


class Kept(models.TextChoices):
    """What a station may tell of without end, so that what is kept of it has a bound."""

    VARIABLES = "variables", _("device variables")
    MONITORS = "monitors", _("variable monitors")
    EVENTS = "events", _("device events")
    DISPLAYS = "displays", _("display messages")
    PARTS = "parts", _("parts of a report")
    STREAMS = "streams", _("event streams")
    LIMITS = "limits", _("limits of others")
    SECURITY = "security", _("security events")
    SWAPS = "swaps", _("battery swaps")


class SwapEvent(models.TextChoices):
    """What happened to batteries at a station that swaps them; the words of OCPP 2.1."""

    IN = "BatteryIn", _("Put in")
    OUT = "BatteryOut", _("Taken out")
    OUT_TIMEOUT = "BatteryOutTimeout", _("Not taken out in time")
