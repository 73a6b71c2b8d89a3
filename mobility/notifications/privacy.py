"""What notifications keep about a person, and how it goes."""

import datetime
from typing import Any

from mobility.accounts import privacy
from mobility.accounts.models import User
from mobility.core.principals import Principal
from mobility.notifications.models import Notification, NotificationChoice, PushDevice


def export(*, user: User) -> dict[str, list[Any]]:
    """What they chose, their devices without what opens them, and what they were told lately."""
    return {
        "choices": list(
            NotificationChoice.objects.filter(user=user)
            .order_by("pk")
            .values("topic", "channel", "wanted")
        ),
        "devices": list(
            PushDevice.objects.filter(user=user)
            .order_by("pk")
            .values("name", "added_at", "reached_at")
        ),
        "told": list(
            Notification.objects.filter(user=user)
            .order_by("pk")
            .values("topic", "title", "body", "at")
        ),
    }


def erase(*, user: User, nobody: User, at: datetime.datetime, by: Principal) -> None:
    """All of it goes, and nothing on its way is sent."""
    NotificationChoice.objects.filter(user=user).delete()
    PushDevice.objects.filter(user=user).delete()
    Notification.objects.filter(user=user).delete()


privacy.register("notifications", export=export, erase=erase)
