"""What people agree to, beyond what the service needs: given to a version, withdrawn at any time.

DomainError
└── Conflict  ConsentOutdated   the text has a newer version
"""

import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from mobility.accounts.events import ConsentWithdrawn
from mobility.accounts.models import Consent, User
from mobility.accounts.states import ConsentTopic
from mobility.core import outbox
from mobility.core.errors import Conflict

# The version of docs/privacy.md's texts; a new one asks everybody anew.
CONSENT_VERSION = "2026-11"


class ConsentOutdated(Conflict):
    """The person saw an older text; `extra` names the version in force."""

    code = "consent_outdated"
    message = _("This text has changed. Please read the new version.")


@transaction.atomic
def give_consent(
    *, user: User, topic: ConsentTopic | str, version: str, at: datetime.datetime
) -> Consent:
    """Note that the person agrees, to which version; saying it again changes nothing.

    Raises `ConsentOutdated` unless `version` is the one in force.
    """
    if version != CONSENT_VERSION:
        raise ConsentOutdated(extra={"version": CONSENT_VERSION})
    # One at a time for a person, so that a new version ends the old consent exactly once.
    User.objects.select_for_update().get(pk=user.pk)
    standing = Consent.objects.standing().filter(user=user, topic=topic).first()
    if standing is not None and standing.version == version:
        return standing
    # A newer version of the text takes the place of the old one: nothing is let go between them.
    Consent.objects.standing().filter(user=user, topic=topic).update(withdrawn_at=at)
    return Consent.objects.create(user=user, topic=topic, version=version, given_at=at)


@transaction.atomic
def withdraw_consent(*, user: User, topic: ConsentTopic | str, at: datetime.datetime) -> bool:
    """Note that the person agrees no longer; whether they had."""
    standing = Consent.objects.standing().filter(user=user, topic=topic)
    withdrawn = bool(standing.update(withdrawn_at=at))
    if withdrawn:
        outbox.publish(ConsentWithdrawn(user=user.principal, topic=str(topic)), at=at)
    return withdrawn


def has_consented(*, user_id: int, topic: ConsentTopic | str) -> bool:
    """Whether the person agrees to `topic`, to the text in force."""
    rows = Consent.objects.standing().filter(user=user_id, topic=topic, version=CONSENT_VERSION)
    return rows.exists()


def standing_of(*, user: User) -> dict[str, datetime.datetime]:
    """The topics to whose text in force the person agrees, and since when."""
    rows = Consent.objects.standing().filter(user=user, version=CONSENT_VERSION)
    return dict(rows.values_list("topic", "given_at"))
