"""Jobs that a station does over minutes: new firmware, its log."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from charging.devices.models.scope import OfStation
from charging.devices.states import (
    FIRMWARE_ENDS,
    FIRMWARE_MOVES,
    LOG_ENDS,
    LOG_MOVES,
    FirmwareState,
    LogKind,
    LogState,
)
from mobility.core.models import PublicModel


class FirmwareJobQuerySet(OfStation["FirmwareJob"]):
    """Firmware jobs by operator and by whether they are over."""

    def open(self) -> FirmwareJobQuerySet:
        """Not over."""
        return self.exclude(state__in=FIRMWARE_ENDS)


class FirmwareJob(PublicModel):
    """An update of a station's firmware. `statuses` is what the station said, in order of arrival."""

    moves: ClassVar = {"state": FIRMWARE_MOVES}

    station = models.ForeignKey(
        "charging.ChargingStation",
        on_delete=models.CASCADE,
        related_name="firmware_jobs",
        verbose_name=_("station"),
    )
    command = models.OneToOneField(
        "charging.StationCommand",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="firmware_job",
        verbose_name=_("command"),
    )
    state = models.CharField(
        _("state"), max_length=30, choices=FirmwareState, default=FirmwareState.ASKED
    )
    location = models.CharField(_("address"), max_length=512)
    signed = models.BooleanField(_("signed"), default=False)
    statuses = models.JSONField(_("what the station said"), default=list, blank=True)
    asked_at = models.DateTimeField(_("asked at"))
    heard_at = models.DateTimeField(_("last heard"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    objects = FirmwareJobQuerySet.as_manager()

    class Meta:
        verbose_name = _("firmware job")
        verbose_name_plural = _("firmware jobs")
        indexes: ClassVar = [models.Index(fields=["station", "-id"], name="firmware_job_latest")]

    def __str__(self) -> str:
        return f"{self.station_id} {self.location}"


class LogJobQuerySet(OfStation["LogJob"]):
    """Log jobs by operator and by whether they are over."""

    def open(self) -> LogJobQuerySet:
        """Not over."""
        return self.exclude(state__in=LOG_ENDS)


class LogJob(PublicModel):
    """A log or diagnostics file that a station was asked to upload."""

    Kind = LogKind

    moves: ClassVar = {"state": LOG_MOVES}

    station = models.ForeignKey(
        "charging.ChargingStation",
        on_delete=models.CASCADE,
        related_name="log_jobs",
        verbose_name=_("station"),
    )
    command = models.OneToOneField(
        "charging.StationCommand",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="log_job",
        verbose_name=_("command"),
    )
    state = models.CharField(_("state"), max_length=30, choices=LogState, default=LogState.ASKED)
    kind = models.CharField(_("log"), max_length=12, choices=LogKind, default=LogKind.DIAGNOSTICS)
    location = models.CharField(_("address"), max_length=512, blank=True)
    # Behind this hash is the secret in the address that we let the station upload to.
    upload_hash = models.CharField(_("upload secret"), max_length=64, blank=True, db_index=True)
    file = models.ForeignKey(
        "mobility.StoredFile",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("file"),
    )
    file_name = models.CharField(_("file name"), max_length=255, blank=True)
    statuses = models.JSONField(_("what the station said"), default=list, blank=True)
    asked_at = models.DateTimeField(_("asked at"))
    heard_at = models.DateTimeField(_("last heard"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    objects = LogJobQuerySet.as_manager()

    class Meta:
        verbose_name = _("log job")
        verbose_name_plural = _("log jobs")
        indexes: ClassVar = [models.Index(fields=["station", "-id"], name="log_job_latest")]

    def __str__(self) -> str:
        return f"{self.station_id} {self.kind}"
