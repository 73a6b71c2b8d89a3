"""What a person wants to hear of."""

from collections.abc import Mapping

from django.db import transaction

from mobility.accounts.models import User
from mobility.notifications import rules
from mobility.notifications.models import NotificationChoice


@transaction.atomic
def choose(*, user: User, wanted: Mapping[tuple[str, str], bool]) -> None:
    """Keep what a person says for each (topic, channel); what must be told stays on."""
    rows = [
        NotificationChoice(user=user, topic=topic, channel=channel, wanted=yes)
        for (topic, channel), yes in wanted.items()
        if (topic, channel) not in rules.REQUIRED
    ]
    NotificationChoice.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["user", "topic", "channel"],
        update_fields=["wanted"],
    )
