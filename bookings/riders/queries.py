"""Reads of riders: what stands in somebody's way, their documents, the texts to confirm."""

import dataclasses
import datetime
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from bookings.riders.models import (
    AccessPolicy,
    Acknowledgement,
    DrivingLicence,
    IdentityCheck,
    RiderBlock,
    RiderDocument,
    RiderProfile,
    RuleText,
)
from bookings.riders.rules import (
    Block,
    Demands,
    Licence,
    Obstacle,
    Standing,
    demands_without_policy,
    obstacles_of,
)
from bookings.riders.states import DocumentState, PaperKind
from mobility.accounts.models import User
from mobility.accounts.states import ConsentTopic

# One statement for whoever is fit: it runs before every reservation and every ride.
_STANDING = f"""
SELECT person.is_active, profile.birth_date, identity.valid_until,
       licence.valid_until, licence.held_since, licence.categories,
       policy.id, policy.identity_required, policy.licence_category, policy.held_at_least_months,
       policy.minimum_age, policy.novice_months, policy.novice_excluded_types,
       ARRAY(
           SELECT wanted.kind FROM unnest(policy.acknowledgements) AS wanted(kind)
           JOIN LATERAL (
               SELECT text.id FROM {RuleText._meta.db_table} text
               WHERE text.kind = wanted.kind AND text.published_at <= %(at)s
                 AND (text.organisation_id = %(organisation)s OR text.organisation_id IS NULL)
               ORDER BY text.organisation_id IS NULL, text.version DESC LIMIT 1
           ) newest ON true
           WHERE NOT EXISTS (
               SELECT FROM {Acknowledgement._meta.db_table} read
               WHERE read.user_id = person.id AND read.text_id = newest.id
           )
       ),
       blocks.reasons, blocks.ends
FROM {User._meta.db_table} person
LEFT JOIN {RiderProfile._meta.db_table} profile ON profile.user_id = person.id
LEFT JOIN {IdentityCheck._meta.db_table} identity
       ON identity.user_id = person.id AND identity.state = 'verified'
LEFT JOIN {DrivingLicence._meta.db_table} licence
       ON licence.user_id = person.id AND licence.state = 'verified'
LEFT JOIN {AccessPolicy._meta.db_table} policy
       ON policy.organisation_id = %(organisation)s AND policy.vehicle_kind = %(kind)s
LEFT JOIN LATERAL (
    SELECT array_agg(block.reason ORDER BY block.id) AS reasons,
           array_agg(block.until ORDER BY block.id) AS ends
    FROM {RiderBlock._meta.db_table} block
    WHERE block.user_id = person.id AND block.lifted_at IS NULL
      AND (block.until IS NULL OR block.until > %(at)s)
      AND (block.organisation_id = %(organisation)s OR block.organisation_id IS NULL)
) blocks ON true
WHERE person.id = %(user)s
"""  # noqa: S608 - names of our own tables
# An account that is being erased meanwhile is waited for, and is then closed.
_STANDING_HELD = f"{_STANDING} FOR KEY SHARE OF person"


def obstacles(
    *,
    user_id: int,
    organisation_id: int,
    kind: str,
    at: datetime.datetime,
    ends_at: datetime.datetime | None = None,
    type_code: str = "",
    hold: bool = False,
) -> tuple[Obstacle, ...]:
    """What stands in the way of this person riding a vehicle of `kind` of this organisation.

    Empty, after one query, for whoever is fit. With `ends_at` (a booking ahead, or the planned end) a
    document that is good at `at` and not so long is a warning: `blocking` is false. Debts are not
    among them: money knows those (`payments.services.refuse_debtor`). With `hold` the account cannot be
    erased before the surrounding transaction ends.
    """
    statement = _STANDING_HELD if hold else _STANDING
    demands, standing = _standing(statement, user_id, organisation_id, kind, at)
    found = obstacles_of(
        demands=demands, standing=standing, at=at, ends_at=ends_at, type_code=type_code
    )
    return tuple(_with_story(one, user_id=user_id) for one in found)


def changed_since(*, user: str, since: str, today: datetime.date) -> Q:
    """Whether anything has happened to a person's access since a moment: a condition for a query of
    rows that name the person in the column `user` and the moment in `since`.

    It says that `obstacles` is to be asked again, not that there are any: a block, a document decided
    about or run out since then, a closed account. Costs no statement of its own.
    """
    blocks = RiderBlock.objects.active().filter(user=OuterRef(user))
    papers = [
        documents_of(kind)
        .filter(user=OuterRef(user))
        .filter(
            Q(decided_at__gte=OuterRef(since))
            | Q(valid_until__lt=today, valid_until__gte=OuterRef(f"{since}__date"))
        )
        for kind in PaperKind
    ]
    changed = Q(Exists(blocks)) | Q(**{f"{user}__is_active": False})
    for paper in papers:
        changed |= Q(Exists(paper))
    return changed


def documents_lapse(
    *, user_id: int, organisation_id: int, kind: str, at: datetime.datetime
) -> bool:
    """Whether a ride that begins `at` would fail because a document in force today ends before.

    Whoever booked for such a day and cancels pays nothing.
    """
    found = obstacles(user_id=user_id, organisation_id=organisation_id, kind=kind, at=at)
    return any(one.code in {"licence_expired", "identity_expired"} for one in found)


def newest_document(*, user_id: int, kind: PaperKind) -> RiderDocument | None:
    """The document of this kind that the person sent last, or None."""
    newest: RiderDocument | None = documents_of(kind).filter(user_id=user_id).order_by("pk").last()
    return newest


def verified_document(*, user_id: int, kind: PaperKind) -> RiderDocument | None:
    """The document of this kind that is in force, or None."""
    in_force: RiderDocument | None = documents_of(kind).filter(user_id=user_id).verified().first()
    return in_force


def documents_of(kind: PaperKind) -> Any:
    """All documents of one kind."""
    model: Any = IdentityCheck if kind == PaperKind.IDENTITY else DrivingLicence
    return model.objects.all()


def texts_in_force(
    *, at: datetime.datetime, organisation_id: int | None = None
) -> QuerySet[RuleText]:
    """The newest published text of each kind: the organisation's own and those of the platform."""
    newest = (
        RuleText.objects.filter(
            kind=OuterRef("kind"),
            organisation=OuterRef("organisation"),
            published_at__lte=at,
        )
        .order_by("-version")
        .values("pk")[:1]
    )
    of_platform = (
        RuleText.objects.filter(
            kind=OuterRef("kind"), organisation__isnull=True, published_at__lte=at
        )
        .order_by("-version")
        .values("pk")[:1]
    )
    whose = Q(organisation__isnull=True, pk=Subquery(of_platform)) | Q(pk=Subquery(newest))
    rows = RuleText.objects.filter(whose)
    if organisation_id is not None:
        rows = rows.filter(Q(organisation=organisation_id) | Q(organisation__isnull=True))
    return rows.select_related("organisation").order_by("kind", "organisation")


def has_reduced_mobility(*, user_id: int) -> bool:
    """Whether the person has told, with consent, that they need more time."""
    told = RiderProfile.objects.filter(user=user_id, reduced_mobility=True)
    return told.filter(
        user__consents__topic=ConsentTopic.REDUCED_MOBILITY,
        user__consents__withdrawn_at__isnull=True,
    ).exists()


def _standing(
    statement: str, user_id: int, organisation_id: int, kind: str, at: datetime.datetime
) -> tuple[Demands, Standing]:
    with connection.cursor() as cursor:
        cursor.execute(
            statement,
            {"user": user_id, "organisation": organisation_id, "kind": kind, "at": at},
        )
        row = cursor.fetchone()
    if row is None:
        return demands_without_policy(kind), Standing(active=False)
    return _demands(kind, row[6:13]), _standing_of(row)


def _demands(kind: str, columns: tuple[Any, ...]) -> Demands:
    policy_id, identity, category, held, age, novice, excluded = columns
    if policy_id is None:
        return demands_without_policy(kind)
    return Demands(
        identity_required=identity,
        licence_category=category,
        held_at_least_months=held,
        minimum_age=age,
        novice_months=novice,
        novice_excluded_types=tuple(excluded),
    )


def _standing_of(row: tuple[Any, ...]) -> Standing:
    active, birth_date, identity_until, valid_until, held_since, categories = row[:6]
    licence = valid_until and Licence(
        valid_until=valid_until, held_since=held_since, categories=tuple(categories)
    )
    return Standing(
        active=active,
        birth_date=birth_date,
        identity_until=identity_until,
        licence=licence or None,
        unread=tuple(row[13]),
        blocks=tuple(
            Block(reason=reason, until=until)
            for reason, until in zip(row[14] or (), row[15] or (), strict=True)
        ),
    )


def _with_story(obstacle: Obstacle, *, user_id: int) -> Obstacle:
    """What is missing may be in review, or may just have been turned down or run out; say so."""
    kind, _underscore, rest = obstacle.code.partition("_")
    if rest != "required" or kind not in PaperKind.values:
        return obstacle
    last = newest_document(user_id=user_id, kind=PaperKind(kind))
    if last is None:
        return obstacle
    if last.state == DocumentState.EXPIRED:
        return Obstacle(f"{kind}_expired", {"on": last.valid_until.isoformat()})
    if last.state == DocumentState.VERIFIED:
        # Between the two queries; the next look finds nothing in the way.
        return obstacle
    told = {DocumentState.SUBMITTED: "pending", DocumentState.REJECTED: "rejected"}
    return dataclasses.replace(obstacle, code=f"{kind}_{told[DocumentState(last.state)]}")
