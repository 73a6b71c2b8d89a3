"""Rules that riders read: published in versions, confirmed by each person.

DomainError
├── NotFound  TextUnknown
└── Conflict  TextPublished   what was published stays as it is
"""

import datetime
from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from bookings.riders.models import Acknowledgement, RuleText
from bookings.riders.states import TextKind
from mobility.core import audit
from mobility.core.errors import Conflict, NotFound
from mobility.core.principals import Principal


class TextUnknown(NotFound):
    """No such text, or none that is published."""

    code = "text_not_found"
    message = _("We could not find these rules.")


class TextPublished(Conflict):
    """Somebody may have confirmed it; a change is a new version."""

    code = "text_published"
    message = _("These rules are published. Write a new version instead.")


@transaction.atomic
def publish_text(*, text: RuleText, at: datetime.datetime, by: Principal) -> None:
    """From now on riders confirm this version; those before it count no more. Raises `TextPublished`."""
    rows = RuleText.objects.filter(pk=text.pk, published_at__isnull=True)
    if not rows.update(published_at=at):
        raise TextPublished
    text.published_at = at
    audit.record(by=by, action="publish_text", row=text, at=at, changes={"version": text.version})


@transaction.atomic
def ensure_text(
    *,
    kind: TextKind,
    title: dict[str, str],
    body: dict[str, str],
    organisation_id: int | None = None,
    at: datetime.datetime,
    by: Principal,
) -> RuleText:
    """The newest text of this kind, which says exactly this; a new version if it did not."""
    rows = RuleText.objects.filter(organisation=organisation_id, kind=kind)
    newest = rows.published().order_by("-version").first()
    if newest is not None and (newest.title, newest.body) == (title, body):
        return newest
    version = (rows.aggregate(last=Max("version"))["last"] or 0) + 1
    text = RuleText.objects.create(
        organisation_id=organisation_id, kind=kind, version=version, title=title, body=body
    )
    publish_text(text=text, at=at, by=by)
    return text


@transaction.atomic
def acknowledge(*, user_id: int, texts: Collection[UUID], at: datetime.datetime) -> None:
    """Note that the person has confirmed these versions; once is for ever. Raises `TextUnknown`.

    The row itself is the proof: who, which version, when.
    """
    known = list(RuleText.objects.published().filter(public_id__in=texts))
    if len(known) != len(set(texts)):
        raise TextUnknown
    Acknowledgement.objects.bulk_create(
        [Acknowledgement(user_id=user_id, text=text, at=at) for text in known],
        ignore_conflicts=True,
    )
