"""Queries that are compiled once."""

import datetime
import threading
import uuid

import pytest
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.db import DataError, connection
from django.db.models import Count, F, Q, QuerySet, Value
from django.db.models.sql.compiler import SQLCompiler
from psycopg.types.numeric import Int8

from mobility.accounts import services as accounts
from mobility.accounts.models import ApiToken, Organisation, User
from mobility.accounts.states import OrganisationKind
from mobility.core import clock, geo
from mobility.core.models import OutboxEvent
from mobility.core.prepared import insert, prepared, putter
from mobility.core.principals import SYSTEM
from mobility.geography.models import City

pytestmark = pytest.mark.django_db


def _tokens(*, email: str, since: datetime.datetime) -> "QuerySet[ApiToken]":
    return (
        ApiToken.objects.select_related("user")
        .filter(Q(expires_at=None) | Q(expires_at__gt=since), user__email=email)
        .annotate(brothers=Count("user__api_tokens"))
        .order_by("label")
    )


tokens_of = prepared(_tokens)


@prepared
def cities_of(*, slug: str) -> "QuerySet[City]":
    return City.objects.select_related("organisation").filter(organisation__slug=slug)


@prepared
def events_named(*, names: list[str], ids: list[uuid.UUID]) -> "QuerySet[OutboxEvent]":
    return OutboxEvent.objects.filter(name__any_of=names, event_id__any_of=ids).order_by("id")


@pytest.fixture
def giulia() -> User:
    user = User.objects.create_user("giulia@example.org", name="Giulia")
    for label in ("phone", "watch"):
        accounts.issue_token(user=user, label=label, at=clock.now(), by=SYSTEM)
    return user


def test_the_rows_are_those_of_the_queryset_with_what_was_joined_and_counted(giulia: User) -> None:
    User.objects.create_user("marco@example.org")
    asked = {"email": giulia.email, "since": clock.now()}
    found, ordinary = tokens_of.all(**asked), list(_tokens(**asked))
    names = [field.attname for field in ApiToken._meta.concrete_fields]
    assert [[getattr(row, name) for name in names] for row in found] == [
        [getattr(row, name) for name in names] for row in ordinary
    ]
    assert [row.label for row in found] == ["phone", "watch"]
    assert [row.brothers for row in found] == [row.brothers for row in ordinary]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "cursor", None)
        assert {row.user.name for row in found} == {"Giulia"}


def test_a_row_can_be_changed_and_saved(giulia: User) -> None:
    token = tokens_of.get(email=giulia.email, since=clock.now())
    token.label = "old phone"
    token.save()
    assert ApiToken.objects.get(pk=token.pk).label == "old phone"


def test_other_values_are_other_rows_and_it_compiles_only_once(giulia: User) -> None:
    marco = User.objects.create_user("marco@example.org")
    accounts.issue_token(user=marco, label="tablet", at=clock.now(), by=SYSTEM)
    at = clock.now()
    assert tokens_of.get(email=giulia.email, since=at).label == "phone"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SQLCompiler, "as_sql", None)
        assert tokens_of.get(email=marco.email, since=at).label == "tablet"
        assert tokens_of.first(email="nobody@example.org", since=at) is None
        assert tokens_of.all(email="nobody@example.org", since=at) == []
        with pytest.raises(ApiToken.DoesNotExist):
            tokens_of.get(email="nobody@example.org", since=at)


def test_columns_that_django_converts_arrive_converted() -> None:
    operator = accounts.ensure_organisation(
        slug="milano", name={"it": "Milano", "en": "Milan"}, kind=OrganisationKind.FLEET_OPERATOR
    )
    square = MultiPolygon(Polygon.from_bbox((9.0, 45.4, 9.3, 45.6)), srid=geo.WGS84)
    City.objects.create(
        slug="milano",
        name={"it": "Milano"},
        organisation=operator,
        boundary=square,
        centre=geo.point(9.1, 45.5),
    )
    city = cities_of.first(slug="milano")
    assert city is not None
    assert (city.name, city.boundary, city.organisation) == ({"it": "Milano"}, square, operator)
    assert city.organisation.name == {"it": "Milano", "en": "Milan"}


def test_lists_of_any_length_are_one_statement() -> None:
    rows = [
        OutboxEvent.objects.create(name=name, payload={"n": 1}, at=clock.now())
        for name in ("a", "b", "c")
    ]
    ids = [row.event_id for row in rows]
    assert [row.name for row in events_named.all(names=["a", "c"], ids=ids)] == ["a", "c"]
    assert events_named.all(names=["a"], ids=[]) == []
    assert events_named.all(names=["a", "b", "c"], ids=ids[:1]) == rows[:1]


def test_tuples_and_unions_come_as_they_would(giulia: User) -> None:
    @prepared
    def named(*, email: str) -> "QuerySet[User]":
        people = User.objects.filter(email=email).order_by()
        twice = people.annotate(what=Value("again")).values_list("what", F("name"))
        return people.annotate(what=Value("once")).values_list("what", "name").union(twice)

    assert sorted(named.all(email=giulia.email)) == [("again", "Giulia"), ("once", "Giulia")]


def test_what_is_no_model_and_no_tuple_is_refused() -> None:
    @prepared
    def dicts() -> "QuerySet[User]":
        return User.objects.values("email")

    with pytest.raises(TypeError, match="values_list"):
        dicts.all()


def test_a_value_that_is_missing_is_an_error_and_not_another_question(giulia: User) -> None:
    with pytest.raises(KeyError, match="since"):
        tokens_of.all(email=giulia.email)


@pytest.mark.django_db(transaction=True)
def test_threads_ask_on_their_own_connections() -> None:
    user = User.objects.create_user("giulia@example.org")
    accounts.issue_token(user=user, label="phone", at=clock.now(), by=SYSTEM)
    labels: list[str] = []

    def ask() -> None:
        try:
            labels.append(tokens_of.get(email="giulia@example.org", since=clock.now()).label)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert labels == ["phone"] * 4


def test_every_organisation_is_found_by_its_own_name() -> None:
    @prepared
    def by_slug(*, slug: str) -> "QuerySet[Organisation]":
        return Organisation.objects.filter(slug=slug)

    for slug in ("atm", "comune"):
        accounts.ensure_organisation(slug=slug, name={"it": slug}, kind=OrganisationKind.CITY)
    assert [by_slug.get(slug=slug).slug for slug in ("comune", "atm")] == ["comune", "atm"]


def test_an_inserted_row_is_as_one_that_was_saved(giulia: User) -> None:
    """With what the database and the fields fill in: its id, a public id, the moment."""
    new = {"user": giulia, "label": "car", "secret_hash": "c" * 64, "created_at": clock.now()}
    token = insert(ApiToken(**new))
    saved = ApiToken.objects.get(label="car")
    names = [field.attname for field in ApiToken._meta.concrete_fields]
    assert [getattr(token, name) for name in names] == [getattr(saved, name) for name in names]
    token.label = "bus"
    token.save()
    assert ApiToken.objects.filter(user=giulia).count() == 3, "saved again it is the same row"


@pytest.mark.parametrize(
    ("model", "name", "value"),
    [
        (OutboxEvent, "name", "a text"),
        (OutboxEvent, "attempts", 3),
        (OutboxEvent, "attempts", None),
        (OutboxEvent, "attempts", "3"),
        (OutboxEvent, "event_id", uuid.UUID(int=7)),
        (OutboxEvent, "event_id", str(uuid.UUID(int=7))),
        (OutboxEvent, "at", datetime.datetime(2026, 3, 29, 1, 59, tzinfo=datetime.UTC)),
        (OutboxEvent, "at", "2026-03-29T01:59:00Z"),
        (OutboxEvent, "name", Value("an expression")),
        (User, "is_active", True),
        (User, "is_active", 1),
        (City, "name", None),
    ],
)
def test_what_is_sent_of_a_value_is_what_its_field_would_send(model, name, value) -> None:
    field = model._meta.get_field(name)
    sent, wanted = putter(field)(value, connection), field.get_db_prep_save(value, connection)
    assert (type(sent), sent) == (type(wanted), wanted)


def test_a_relation_is_sent_in_the_size_of_its_column() -> None:
    """However small the id is: a statement must not be another one for each size."""
    field = ApiToken._meta.get_field("user")
    assert type(putter(field)(7, connection)) is type(putter(field)(2**40, connection)) is Int8


def test_a_number_too_large_for_its_column_is_refused_when_inserted() -> None:
    row = OutboxEvent(name="big", payload={}, at=clock.now(), attempts=2**16 + 1)
    with pytest.raises(DataError, match="out of range"):
        insert(row)
