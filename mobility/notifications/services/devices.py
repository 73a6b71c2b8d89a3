"""The devices on which a person wants to be told."""

import datetime

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from mobility.accounts.models import User
from mobility.core import locks
from mobility.core.courier import BadTarget, target_of
from mobility.core.errors import Conflict, Invalid
from mobility.notifications import keys, rules, wire
from mobility.notifications.models import PushDevice


class PushIsOff(Conflict):
    """The house has no key."""

    code = "push_is_off"
    message = _("Notifications on devices are not set up here.")


class BadDevice(Invalid):
    """Nothing that a browser could have said."""

    code = "bad_device"
    message = _("This browser's notifications cannot be used here.")


def add_device(
    *, user: User, endpoint: str, p256dh: str, auth: str, agent: str, at: datetime.datetime
) -> PushDevice:
    """Tell a person on this browser from now on; the same address again is the same device.

    A browser has one subscription: whoever signed in there last is told, and nothing that waits for
    somebody else. Of more than ten devices the one that was added first goes. Raises `PushIsOff`,
    `BadDevice`.
    """
    if keys.own_key() is None:
        raise PushIsOff
    try:
        target_of(endpoint, allow_private=settings.PUSH_ALLOW_PRIVATE)
        wire.device_key(p256dh)
        wire.device_secret(auth)
    except (BadTarget, wire.BadKey) as problem:
        raise BadDevice from problem
    with transaction.atomic():
        locks.advisory(f"push:{user.pk}")
        PushDevice.objects.filter(endpoint=endpoint).exclude(user=user).delete()
        device, _created = PushDevice.objects.update_or_create(
            endpoint=endpoint,
            defaults={
                "user": user,
                "p256dh": p256dh,
                "auth": auth,
                "name": rules.device_name(agent),
                "added_at": at,
                "failures": 0,
            },
        )
        theirs = PushDevice.objects.filter(user=user)
        newest = theirs.order_by("-added_at", "-id").values_list("pk", flat=True)
        theirs.exclude(pk__in=list(newest[: rules.MOST_DEVICES])).delete()
    return device


def remove_device(*, device: PushDevice) -> None:
    """Tell nothing on this device any more."""
    device.delete()
