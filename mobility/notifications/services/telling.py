"""Tell a person something, in the ways that they chose and in their language."""

import datetime
from collections.abc import Callable

from django.db import transaction
from django.utils import translation

from mobility.accounts.mail import write_to
from mobility.accounts.models import User
from mobility.core import jobs
from mobility.notifications import queries, rules
from mobility.notifications.models import Notification, PushDelivery, PushDevice
from mobility.notifications.states import Channel

DELIVER = "mobility.notifications.deliver"
Words = Callable[[], str]


def tell(
    *,
    principal: str,
    topic: str,
    ref: str,
    subject: Words,
    body: Words,
    path: str,
    at: datetime.datetime,
    short: Words | None = None,
) -> bool:
    """Tell whoever is behind `principal`, once for every `ref`; returns whether it was news.

    1. Words are called under the person's language. `short` is what devices show where `body` is a
       letter, or names what must not lie on a lock screen.
    2. The mail leaves when the transaction commits, if they want mails about `topic`.
    3. Each of their devices gets a delivery, if they want that; a worker sends it.
    4. What was told stays for them to read for a while, even if they want it in neither way.
    """
    user = User.objects.filter(public_id=principal.removeprefix("user:"), is_active=True).first()
    if user is None:
        return False
    with transaction.atomic():
        with translation.override(user.language):
            title = rules.shortened(str(subject()), rules.LONGEST_TITLE)
            text = rules.shortened(str((short or body)()), rules.LONGEST_BODY)
        told, new = Notification.objects.get_or_create(
            user=user,
            subject_ref=ref,
            defaults={"topic": topic, "title": title, "body": text, "path": path, "at": at},
        )
        if not new:
            return False
        choices = queries.choices_of(user)
        if rules.is_wanted(topic, Channel.MAIL, choices):
            write_to(principal=principal, subject=subject, body=body)
        if rules.is_wanted(topic, Channel.PUSH, choices):
            _put_in_line(told, at=at)
    return True


def _put_in_line(told: Notification, *, at: datetime.datetime) -> None:
    devices = PushDevice.objects.filter(user=told.user).values_list("pk", flat=True)
    good_until = at + rules.good_for(told.topic)
    rows = [
        PushDelivery(notification=told, device_id=one, next_attempt_at=at, good_until=good_until)
        for one in devices
    ]
    if rows:
        PushDelivery.objects.bulk_create(rows, ignore_conflicts=True)
        jobs.enqueue(DELIVER)
