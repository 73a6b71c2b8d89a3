"""The words of notifications: what they are about and which way they go."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Topic(models.TextChoices):
    """What a notification is about; a person chooses the ways for each."""

    HOLD = "hold", _("A reserved vehicle is about to be freed")
    BOOKING = "booking", _("Cars booked ahead: soon, changed, ending")
    RIDE = "ride", _("Your ride: pause, idle, low battery, ended by us")
    RECEIPT = "receipt", _("Rides and charges that are over, with what they cost")
    CHARGING = "charging", _("Your charge: done, idle fee, stopped")
    MONEY = "money", _("Open payments, fees and refunds")
    SUPPORT = "support", _("Answers to cases and objections")
    ACCOUNT = "account", _("Documents, and whether you may ride")


class Channel(models.TextChoices):
    """Which way a notification goes."""

    MAIL = "mail", _("E-mail")
    PUSH = "push", _("On my devices")
