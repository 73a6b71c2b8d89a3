"""What people want to hear of, the devices that show it, and what was sent to each."""

import datetime
from typing import TYPE_CHECKING, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from mobility.core.courier import Failure
from mobility.core.models import PublicModel
from mobility.notifications.states import Channel, Topic

if TYPE_CHECKING:
    from mobility.accounts.models import User


class ChoiceQuerySet(models.QuerySet["NotificationChoice"]):
    """Choices by whose they are."""

    def visible_to(self, user: "User") -> Self:
        """A person's own."""
        return self.filter(user=user)


class NotificationChoice(models.Model):
    """That a person wants to hear of something in one way, or does not; without a row the defaults hold."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="notification_choices",
        verbose_name=_("person"),
    )
    topic = models.CharField(_("topic"), max_length=12, choices=Topic)
    channel = models.CharField(_("way"), max_length=6, choices=Channel)
    wanted = models.BooleanField(_("wanted"))

    objects = ChoiceQuerySet.as_manager()

    class Meta:
        verbose_name = _("notification choice")
        verbose_name_plural = _("notification choices")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "topic", "channel"], name="notification_choice_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.topic} {self.channel}"


class PushDeviceQuerySet(models.QuerySet["PushDevice"]):
    """Devices by whose they are."""

    def visible_to(self, user: "User") -> Self:
        """A person's own."""
        return self.filter(user=user)


class PushDevice(PublicModel):
    """A browser that shows notifications: its subscription at a push service (RFC 8030).

    The address alone lets nobody write to it: it takes our key as well, and what we send is encrypted
    for the device's own.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="push_devices",
        verbose_name=_("person"),
    )
    endpoint = models.CharField(_("address"), max_length=1000, unique=True)
    # The device's public key (P-256, uncompressed) and its secret (RFC 8291), base64url.
    p256dh = models.CharField(_("public key"), max_length=100)
    auth = models.CharField(_("secret"), max_length=40)
    name = models.CharField(_("name"), max_length=60, blank=True)
    added_at = models.DateTimeField(_("added at"))
    reached_at = models.DateTimeField(_("last reached at"), null=True, blank=True)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)

    objects = PushDeviceQuerySet.as_manager()

    class Meta:
        verbose_name = _("device for notifications")
        verbose_name_plural = _("devices for notifications")

    def __str__(self) -> str:
        return self.name or str(self.public_id)


class NotificationQuerySet(models.QuerySet["Notification"]):
    """Notifications by whose they are."""

    def visible_to(self, user: "User") -> Self:
        """A person's own."""
        return self.filter(user=user)


class Notification(PublicModel):
    """Something that a person was told, in their language."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="notifications",
        verbose_name=_("person"),
    )
    topic = models.CharField(_("topic"), max_length=12, choices=Topic)
    # What makes it one: the same fact found twice is told once.
    subject_ref = models.CharField(_("about"), max_length=80)
    title = models.CharField(_("title"), max_length=80)
    body = models.CharField(_("text"), max_length=240)
    path = models.CharField(_("page"), max_length=200)
    at = models.DateTimeField(_("at"))

    objects = NotificationQuerySet.as_manager()

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "subject_ref"], name="notification_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["user", "-at"], name="notification_by_user"),
            models.Index(fields=["at"], name="notification_at"),
        ]

    def __str__(self) -> str:
        return self.title


class PushQuerySet(models.QuerySet["PushDelivery"]):
    """Deliveries by whose they are and when they go."""

    def visible_to(self, user: "User") -> Self:
        """A person's own."""
        return self.filter(device__user=user)

    def due(self, at: datetime.datetime) -> Self:
        """To be sent now, the longest due first."""
        return self.filter(next_attempt_at__lte=at).order_by("next_attempt_at", "id")


class PushDelivery(models.Model):
    """One notification on its way to one device; `next_attempt_at` is empty once that is over."""

    notification = models.ForeignKey(
        Notification, models.CASCADE, related_name="deliveries", verbose_name=_("notification")
    )
    device = models.ForeignKey(
        PushDevice, models.CASCADE, related_name="deliveries", verbose_name=_("device")
    )
    next_attempt_at = models.DateTimeField(_("next attempt at"), null=True, blank=True)
    good_until = models.DateTimeField(_("good until"))
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    last_status = models.PositiveSmallIntegerField(_("last status"), null=True, blank=True)
    last_failure = models.CharField(_("last failure"), max_length=20, choices=Failure, blank=True)

    objects = PushQuerySet.as_manager()

    class Meta:
        verbose_name = _("notification to a device")
        verbose_name_plural = _("notifications to devices")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["notification", "device"], name="one_push_a_device"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["next_attempt_at"],
                name="push_due",
                condition=Q(next_attempt_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.notification_id} {self.device_id}"
