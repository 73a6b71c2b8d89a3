"""Running processes for stories and browsers: one house per test worker, shared by all who ask.

The house lives in a database and in Redis databases of its own, so that what it commits never
reaches the other tests.
"""

import os
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
import redis
from django.conf import settings
from django.db import connections

from tests.stories.cast import MAY_LOG_IN
from tests.stories.processes import ROOT, House, free_port, listens

HOUSE = pytest.StashKey[House]()
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
# Counted from the top: the workers' own tests count theirs from the bottom (tests/environment.py).
REDIS_DB = int(os.environ.get("STORY_REDIS_DB", "15")) - int(WORKER.removeprefix("gw") or 0)
DATABASE = f"{settings.DATABASES['default']['TEST']['NAME']}_story{WORKER}"
FOLDER = ROOT / "artifacts" / DATABASE
# Of the demo city: stories need a few of everything, pictures all of it.
SCALE = os.environ.get("STORY_SCALE", "0.1")
START_PATIENCE_S = 120.0
OPEN_AND_LIVE_S = 600


# Only the vehicles that a story switches on report; the silence of all others is no outage here.
NO_OUTAGES = """
from bookings.trips.models import TripPolicy
from fleet.vehicles.models import Vehicle
for organisation, kind in Vehicle.objects.values_list("organisation", "type__kind").distinct().order_by():
    TripPolicy.objects.update_or_create(
        organisation_id=organisation, kind=kind, defaults={"outage_share_pct": None}
    )
"""
OPENING_S = 300
# They leave the shared house as others would not expect it: rules moved, every vehicle elsewhere,
# one charger more.
LAST = ("browser/test_zones.py", "stories/test_whole_city.py", "browser/test_charger.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first who asks for the house waits until it stands, so all get time for that.

    Who changes the city for all others comes last.
    """
    items.sort(
        key=lambda item: next(
            (1 + rank for rank, name in enumerate(LAST) if item.path.as_posix().endswith(name)), 0
        )
    )
    for item in items:
        if "house" in getattr(item, "fixturenames", ()):
            said = item.get_closest_marker("timeout")
            patience_s = max(OPEN_AND_LIVE_S, said.args[0] if said else 0)
            item.add_marker(pytest.mark.timeout(patience_s))


@pytest.fixture(scope="session")
def house(request: pytest.FixtureRequest) -> House:
    """The running house with the demo city in it; started by the first who asks."""
    config = request.config
    if HOUSE not in config.stash:
        config.stash[HOUSE] = _open_house(config)
    running = config.stash[HOUSE]
    running.check()
    return running


@pytest.fixture(autouse=True)
def _house_stands(request: pytest.FixtureRequest) -> Iterator[None]:
    """After each story every process still lives; a silent crash is a failure."""
    yield
    if HOUSE in request.config.stash:
        request.config.stash[HOUSE].check()


def _open_house(config: pytest.Config) -> House:
    """A database, the demo city in it, then every process; closed when the test run ends."""
    env = _environment()
    house = House(
        env=env,
        web_url=env["PUBLIC_URL"],
        live_url=env["LIVE_URL"],
        ocpp_url=env["OCPP_URL"],
        folder=FOLDER,
    )
    config.add_cleanup(_drop_database)
    config.add_cleanup(house.stop)
    house.run_once("demo", "manage.py", "demo", "--scale", SCALE, patience_s=OPENING_S)
    house.run_once("calm", "manage.py", "shell", "-c", NO_OUTAGES + MAY_LOG_IN)
    # The first plan on a new machine would compile its search, longer than a story waits for a plan.
    house.run_once("compile", "manage.py", "compile_planner", patience_s=OPENING_S)
    _start_processes(house)
    return house


def _start_processes(house: House) -> None:
    env = house.env
    web = ["--worker-class", "gthread", "--workers", "2", "--threads", "8"]
    bind = f"127.0.0.1:{env['WEB_PORT']}"
    here = ["--host", "127.0.0.1", "--port"]
    worker = ["-m", "celery", "-A", "mobility", "worker", "-c", "1", "-Q"]
    house.add("web", "-m", "gunicorn", "mobility.wsgi:application", *web, "--bind", bind)
    house.add("ocpp", "manage.py", "run_ocpp", *here, env["OCPP_PORT"])
    house.add("worker", *worker, "default,sessions,planning,webhooks", "-n", "stories@%h")
    house.add("telematics", *worker, "telematics", "-n", "stories-telematics@%h")
    house.add("relay", "manage.py", "run_relay")
    house.add(
        "beat", "-m", "celery", "-A", "mobility", "beat", "-s", str(FOLDER / "beat"), "--pidfile="
    )
    house.add("live", "-m", "uvicorn", "mobility.asgi:application", *here, env["LIVE_PORT"])
    for port in ("WEB_PORT", "OCPP_PORT", "LIVE_PORT"):
        house.wait_until(
            lambda port=port: listens(int(env[port])), what=port, patience_s=START_PATIENCE_S
        )


def _environment() -> dict[str, str]:
    """The environment of the processes: own database, own Redis numbers, free ports."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.iterdir():
        if old.is_file():
            old.unlink()
    ports = {name: str(free_port()) for name in ("WEB_PORT", "LIVE_PORT", "OCPP_PORT")}
    telemetry = settings.TELEMETRY_REDIS_URL
    env = os.environ | {
        **ports,
        "DATABASE_URL": _fresh_database(),
        "REDIS_URL": _empty_redis(settings.REDIS_URL),
        "TELEMETRY_REDIS_URL": _empty_redis(telemetry),
        "DATA_DIR": str(FOLDER),
        "SIMULATOR_CREDENTIALS": str(FOLDER / "simulator.json"),
        "PUBLIC_URL": f"http://127.0.0.1:{ports['WEB_PORT']}",
        "LIVE_URL": f"http://127.0.0.1:{ports['LIVE_PORT']}",
        "OCPP_URL": f"ws://127.0.0.1:{ports['OCPP_PORT']}/ocpp",
        "LOG_LEVEL": "INFO",
        "C_FORCE_ROOT": "1",
        "PYTHONUNBUFFERED": "1",
    }
    env.pop("CELERY_BROKER_URL", None)  # it names the Redis of somebody else
    return env


def _fresh_database() -> str:
    """An empty database beside the tests' own, which `manage.py demo` migrates; returns its URL."""
    _drop_database()
    _administer(f'CREATE DATABASE "{DATABASE}"')
    return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{DATABASE}"))


def _drop_database() -> None:
    _administer(f'DROP DATABASE IF EXISTS "{DATABASE}" WITH (FORCE)')


def _administer(statement: str) -> None:
    """Run a statement on the server, outside of Django, which must not touch a database here."""
    parameters = connections["default"].get_connection_params() | {"dbname": "postgres"}
    for only_for_django in ("cursor_factory", "context", "prepare_threshold"):
        parameters.pop(only_for_django, None)
    with psycopg.connect(**parameters, autocommit=True) as server:
        server.execute(statement)


def _empty_redis(url: str) -> str:
    """The same Redis under the stories' own database number, emptied."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        own = f"unix://{parts.path}?db={REDIS_DB}"
    else:
        own = urlunsplit(parts._replace(path=f"/{REDIS_DB}"))
    with redis.Redis.from_url(own) as client:
        client.flushdb()
    return own
