"""What people chose, and what they were told."""

from collections.abc import Collection

from mobility.accounts.models import User
from mobility.notifications.models import NotificationChoice
from mobility.notifications.rules import Choices


def choices_of(user: User) -> Choices:
    """What a person said about topics and ways; where they said nothing the defaults hold."""
    return choices_of_all([user.pk])[user.pk]


def choices_of_all(user_ids: Collection[int]) -> dict[int, dict[tuple[str, str], bool]]:
    """The same for many people, in one query."""
    found: dict[int, dict[tuple[str, str], bool]] = {one: {} for one in user_ids}
    rows = NotificationChoice.objects.filter(user__in=user_ids)
    for user_id, topic, channel, wanted in rows.values_list("user", "topic", "channel", "wanted"):
        found[user_id][topic, channel] = wanted
    return found
