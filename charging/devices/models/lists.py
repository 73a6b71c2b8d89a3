"""What stations keep for us: the list of cards they know offline, messages on their display."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from charging.devices.models.scope import OfStation
from charging.devices.states import LIST_MOVES, ListState


class LocalListQuerySet(OfStation["LocalList"]):
    """Local lists by operator."""


class LocalList(models.Model):
    """The local authorisation list of one station: what it holds, and what is on its way.

    `entries` is what the station confirmed under `version`; `wanted` what it shall have. Both map
    a token to its status, expiry and group.
    """

    moves: ClassVar = {"state": LIST_MOVES}

    station = models.OneToOneField(
        "charging.ChargingStation",
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="local_list",
        verbose_name=_("station"),
    )
    state = models.CharField(
        _("state"), max_length=16, choices=ListState, default=ListState.UNKNOWN
    )
    managed = models.BooleanField(
        _("kept up to date"),
        default=False,
        help_text=_("Send the operator's cards to the station, now and when they change."),
    )
    version = models.PositiveIntegerField(_("version"), default=0)
    reported_version = models.IntegerField(_("version the station named"), null=True, blank=True)
    entries = models.JSONField(_("entries"), default=dict, blank=True)
    wanted = models.JSONField(_("wanted entries"), default=dict, blank=True)
    # The part under way: its command, its version, whether it replaces everything, its entries.
    sending = models.JSONField(_("under way"), default=dict, blank=True)
    problem = models.CharField(_("problem"), max_length=40, blank=True)
    changed_at = models.DateTimeField(_("changed at"))

    objects = LocalListQuerySet.as_manager()

    class Meta:
        verbose_name = _("local list")
        verbose_name_plural = _("local lists")

    def __str__(self) -> str:
        return f"{self.station_id} v{self.version}"


class DisplayMessageQuerySet(OfStation["DisplayMessage"]):
    """Display messages by operator."""


class DisplayMessage(models.Model):
    """A message on a station's display, as far as we know from commands and reports."""

    station = models.ForeignKey(
        "charging.ChargingStation",
        on_delete=models.CASCADE,
        related_name="display_messages",
        verbose_name=_("station"),
    )
    number = models.BigIntegerField(_("number"))
    content = models.JSONField(_("content"), default=dict)
    shown = models.BooleanField(_("on the display"), default=True)
    at = models.DateTimeField(_("as of"))

    objects = DisplayMessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("display message")
        verbose_name_plural = _("display messages")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["station", "number"], name="display_message_once"),
        ]

    def __str__(self) -> str:
        return f"{self.station_id}/{self.number}"
