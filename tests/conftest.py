"""The people and places of the tests: Giulia rides, Marco runs the fleet, Sara drives the van,
Luca runs chargers, Elena is the city officer."""

import signal
from collections.abc import Callable

import hypothesis
import pytest
from django.conf import settings
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.core.cache import cache
from django.utils import translation
from rest_framework.test import APIClient

from mobility.accounts import services as accounts
from mobility.accounts.models import Organisation, User
from mobility.accounts.states import OrganisationKind, Role
from mobility.core import clock, geo, outbox
from mobility.core.principals import SYSTEM
from mobility.geography.models import City, District
from tests.emptying import empty_quickly

# Fixtures that rooms lend to each other.
pytest_plugins = ["tests.fleet.fixtures", "tests.fleet.zones.drawing", "tests.charging.fixtures"]


def pytest_configure() -> None:
    """Slow hashes protect people, not tests; and a test that commits is cleared away quickly.

    Time is measured by benchmarks: no property fails because a machine is busy.
    """
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    hypothesis.settings.register_profile(
        "house",
        hypothesis.settings(),
        deadline=None,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )
    hypothesis.settings.load_profile("house")
    empty_quickly()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """The tables are made in the first test's time, and on a busy machine take all of it."""
    signal.setitimer(signal.ITIMER_REAL, 0)


@pytest.fixture(autouse=True)
def _speak_english() -> None:
    """A request leaves its language behind in the thread; each test begins with the same one."""
    translation.activate("en")


@pytest.fixture(autouse=True)
def _empty_cache(request: pytest.FixtureRequest) -> None:
    """Throttles and heartbeats of one test must not reach the next."""
    if "db" in request.fixturenames or "transactional_db" in request.fixturenames:
        cache.clear()


@pytest.fixture
def comune(db: None) -> Organisation:
    return accounts.ensure_organisation(
        slug="comune",
        name={"it": "Comune di Milano", "en": "City of Milan"},
        kind=OrganisationKind.CITY,
    )


@pytest.fixture
def ruote(db: None) -> Organisation:
    return accounts.ensure_organisation(
        slug="ruote",
        name={"it": "Ruote di Milano"},
        kind=OrganisationKind.FLEET_OPERATOR,
        legal_name="Ruote di Milano S.r.l.",
        vat_number="IT00000000017",
    )


@pytest.fixture
def colonnine(db: None) -> Organisation:
    return accounts.ensure_organisation(
        slug="colonnine",
        name={"it": "Colonnine Milano"},
        kind=OrganisationKind.CHARGE_POINT_OPERATOR,
        legal_name="Colonnine Milano S.p.A.",
        vat_number="IT00000000025",
    )


def person(email: str, organisation: Organisation | None = None, role: Role | None = None) -> User:
    """A person without a password; the tests come with tokens."""
    user = User.objects.create_user(email, name=email.split("@")[0].capitalize(), language="en")
    if organisation and role:
        accounts.grant_role(
            user=user, organisation=organisation, role=role, at=clock.now(), by=SYSTEM
        )
    return user


@pytest.fixture
def giulia(db: None) -> User:
    """A resident who rides."""
    return person("giulia@demo.example")


@pytest.fixture
def piero(db: None) -> User:
    """Another resident, who must see nothing of Giulia's."""
    return person("piero@demo.example")


@pytest.fixture
def marco(ruote: Organisation) -> User:
    """Runs the fleet of Ruote."""
    return person("marco@demo.example", ruote, Role.FLEET_OPERATOR)


@pytest.fixture
def sara(ruote: Organisation) -> User:
    """Drives the van of Ruote."""
    return person("sara@demo.example", ruote, Role.CREW)


@pytest.fixture
def luca(colonnine: Organisation) -> User:
    """Runs the chargers of Colonnine."""
    return person("luca@demo.example", colonnine, Role.CHARGE_POINT_OPERATOR)


@pytest.fixture
def elena(comune: Organisation) -> User:
    """The city officer."""
    return person("elena@demo.example", comune, Role.CITY_OFFICER)


@pytest.fixture
def rivale(db: None) -> User:
    """Runs another fleet, and must see nothing of Ruote's."""
    other = accounts.ensure_organisation(
        slug="rivale", name={"it": "Rivale"}, kind=OrganisationKind.FLEET_OPERATOR
    )
    return person("rivale@demo.example", other, Role.FLEET_OPERATOR)


@pytest.fixture
def scossa(db: None) -> User:
    """Runs other chargers, and must see nothing of Colonnine's."""
    other = accounts.ensure_organisation(
        slug="scossa", name={"it": "Scossa"}, kind=OrganisationKind.CHARGE_POINT_OPERATOR
    )
    return person("scossa@demo.example", other, Role.CHARGE_POINT_OPERATOR)


@pytest.fixture
def milan(comune: Organisation) -> City:
    """Milan as a square of about 20 km with one district, Porta Romana."""
    return city_of(comune)


def city_of(comune: Organisation) -> City:
    """Milan for this city government, also outside of a test."""
    square = MultiPolygon(Polygon.from_bbox((9.06, 45.38, 9.30, 45.54)), srid=geo.WGS84)
    city = City.objects.create(
        slug="milano",
        name={"it": "Milano", "en": "Milan"},
        organisation=comune,
        boundary=square,
        centre=geo.point(9.19, 45.464),
    )
    District.objects.create(
        city=city,
        code="27",
        name={"it": "Porta Romana"},
        boundary=MultiPolygon(Polygon.from_bbox((9.195, 45.445, 9.215, 45.458)), srid=geo.WGS84),
        centre=geo.point(9.205, 45.451),
        residents=15526,
    )
    return city


@pytest.fixture
def api(db: None) -> Callable[[User | None], APIClient]:
    """`api(giulia)` calls the API as Giulia, with a token of hers; `api(None)` as nobody."""
    return api_of


def api_of(user: User | None = None) -> APIClient:
    """The API as this person, or as nobody."""
    browser = APIClient(raise_request_exception=False)
    browser.credentials(HTTP_ACCEPT_LANGUAGE="en")
    if user is not None:
        _token, secret = accounts.issue_token(user=user, label="test", at=clock.now(), by=SYSTEM)
        browser.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}", HTTP_ACCEPT_LANGUAGE="en")
    return browser


@pytest.fixture
def relay(db: None) -> Callable[[], int]:
    """`relay()` delivers every waiting outbox event now, and those that its handlers publish."""

    def deliver_all() -> int:
        delivered = 0
        while tasks := outbox.claim_undispatched(at=clock.now()):
            for _queue, ids in tasks:
                outbox.deliver(ids=ids, at=clock.now())
                delivered += len(ids)
        return delivered

    return deliver_all
