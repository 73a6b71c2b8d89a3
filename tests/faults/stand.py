"""A throw-away stand: PostgreSQL, Redis twice, and the processes of telematics, all to be killed.

Nothing of it is shared with the tests' own servers but their programs, which are found by looking
at those that run. Everything dies with whoever started it.
"""

from __future__ import annotations

import json
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import redis

from tests.fleet.edge import broker
from tests.stories.processes import ROOT, TETHER, Process, listens

DATABASE = "faults"
ROLE = "mobility"
_LIBRARIES = ("LD_LIBRARY_PATH", "PROJ_LIB", "PROJ_DATA")
_POSTGRES = {
    "listen_addresses": "",
    "jit": "off",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "timezone": "UTC",
}


class NoServers(Exception):
    """The servers of this run are not processes that we can see, so we cannot start others."""


@dataclass(frozen=True)
class Programs:
    """Where the programs are, and what they need in their environment."""

    postgres: Path
    redis: Path
    env: Mapping[str, str]


def find_programs(*, database_url: str, redis_url: str) -> Programs:
    """The programs behind the servers that run."""
    try:
        with redis.Redis.from_url(redis_url) as client:
            info = client.info("server")
        folder = parse_qs(urlsplit(database_url).query)["host"][0]
        lock = next(Path(folder).glob(".s.PGSQL.*.lock"))
        postgres = int(lock.read_text().split()[0])
        programs = [Path(f"/proc/{pid}/exe").readlink() for pid in (postgres, info["process_id"])]
        variables = dict(
            line.split("=", 1)
            for line in Path(f"/proc/{postgres}/environ").read_text().split("\0")
            if "=" in line
        )
    except (OSError, KeyError, StopIteration, redis.RedisError) as error:
        raise NoServers(str(error)) from error
    needed = {name: variables[name] for name in _LIBRARIES if name in variables}
    # One program under many names: the link may lead to another of them.
    redis_server = programs[1].with_name("redis-server")
    return Programs(postgres=programs[0].parent, redis=redis_server, env=needed)


def masked() -> list[str]:
    """PostgreSQL does not run as root: under another name, in a user namespace."""
    if os.geteuid() != 0:
        return []
    user = next(entry for entry in pwd.getpwall() if entry.pw_name == "nobody")
    return ["/usr/bin/unshare", "--user", f"--map-user={user.pw_uid}", f"--map-group={user.pw_gid}"]


def quiet_port() -> int:
    """A free port from which no connection begins.

    Who keeps calling a port of the other kind while nobody listens there will one day be given
    that very port to call from, and talk to itself: the server cannot come back then.
    """
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for port in random.sample(range(lowest - 10_000, lowest), 100):
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise NoServers("no free port")


@dataclass
class Stand:
    """The servers and processes of one run."""

    programs: Programs
    folder: Path
    web_port: int = field(default_factory=quiet_port)
    edge_port: int = field(default_factory=quiet_port)
    mqtt_port: int = field(default_factory=quiet_port)
    ocpp_port: int = field(default_factory=quiet_port)
    # Where there is no Mosquitto, devices speak HTTPS and TCP alone.
    mosquitto: str | None = field(default_factory=broker.program)
    processes: dict[str, Process] = field(default_factory=dict)

    @property
    def sockets(self) -> Path:
        return self.folder / "s"

    @property
    def env(self) -> dict[str, str]:
        """What the processes of the house are told."""
        here = str(self.sockets).replace("/", "%2F")
        ours = {
            "DATABASE_URL": f"postgis://{ROLE}@/{DATABASE}?host={here}",
            "REDIS_URL": f"unix://{self.sockets}/broker.sock?db=0",
            "CELERY_BROKER_URL": f"redis+socket://{self.sockets}/broker.sock?virtual_host=0",
            "TELEMETRY_REDIS_URL": f"unix://{self.sockets}/telemetry.sock?db=0",
            "TELEMATICS_SHARDS": "2",
            "TELTONIKA_ADDRESS": f"127.0.0.1:{self.edge_port}",
            "MQTT_URL": f"mqtt://edge:lantern@127.0.0.1:{self.mqtt_port}" if self.mosquitto else "",
            "C_FORCE_ROOT": "1",
            "LOG_LEVEL": "WARNING",
        }
        kept = {name: value for name, value in os.environ.items() if name != "PYTEST_XDIST_WORKER"}
        return {**kept, **ours}

    @property
    def telemetry(self) -> redis.Redis:
        return redis.Redis(unix_socket_path=str(self.sockets / "telemetry.sock"))

    def database(self) -> psycopg.Connection:
        """A connection of our own."""
        return psycopg.connect(
            host=str(self.sockets), user=ROLE, dbname=DATABASE, autocommit=True, connect_timeout=5
        )

    # --- servers ----------------------------------------------------------------------------------

    def start_servers(self, *, tables_of: str, durable: bool) -> None:
        """A new cluster, both Redis, and a database with the tables of another one (its URL).

        Without `durable` a power cut could cost data, a killed process cannot.
        """
        self.sockets.mkdir()
        cluster = self.folder / "pg"
        words = ["-D", str(cluster), "-U", ROLE, "--auth=trust", "--no-sync", "--locale=C.UTF-8"]
        initdb = [*masked(), str(self.programs.postgres / "initdb"), *words, "--encoding=UTF8"]
        subprocess.run(
            initdb, check=True, capture_output=True, env={**os.environ, **self.programs.env}
        )
        settings = _POSTGRES if durable else {**_POSTGRES, "fsync": "off"}
        options = [f"-c{name}={value}" for name, value in settings.items()]
        postgres = [str(self.programs.postgres / "postgres"), "-D", str(cluster)]
        self._add("postgres", *masked(), *TETHER, *postgres, "-k", str(self.sockets), *options)
        for name, sync in (("broker", "everysec"), ("telemetry", "always")):
            files = ["--dir", str(self.folder), "--appenddirname", name, "--daemonize", "no"]
            keeping = ["--appendonly", "yes", "--save", "", "--appendfsync", sync]
            where = ["--port", "0", "--unixsocket", str(self.sockets / f"{name}.sock")]
            rest = ["--maxmemory-policy", "noeviction"]
            self._add(name, *TETHER, str(self.programs.redis), *where, *files, *keeping, *rest)
        self.until(self.servers_answer, within_s=60)
        with psycopg.connect(
            host=str(self.sockets), user=ROLE, dbname="postgres", autocommit=True
        ) as admin:
            admin.execute(f"CREATE DATABASE {DATABASE}")
        self._copy_tables(tables_of)

    def _copy_tables(self, url: str) -> None:
        """Much faster than all migrations once more."""
        source = urlsplit(url)
        folder = parse_qs(source.query)["host"][0]
        env = {**os.environ, **self.programs.env}
        dump = [str(self.programs.postgres / "pg_dump"), "--schema-only", "-U", ROLE, "-h", folder]
        schema = subprocess.run(
            [*dump, source.path.strip("/")], env=env, capture_output=True, check=True
        ).stdout
        load = [str(self.programs.postgres / "psql"), "-Xqv", "ON_ERROR_STOP=1", "-U", ROLE]
        where = ["-h", str(self.sockets), DATABASE]
        subprocess.run([*load, *where], env=env, input=schema, capture_output=True, check=True)

    def _add(self, name: str, *words: str) -> None:
        process = Process(name, list(words), self.folder / f"{name}.log")
        self.processes[name] = process
        self.start(name)

    def start(self, name: str) -> None:
        """Start a process, or start it again."""
        env = {**self.env, **self.programs.env} if name in SERVERS else self.env
        self.processes[name].start(env)

    def servers_answer(self) -> bool:
        """Whether all three do."""
        with suppress(psycopg.OperationalError, redis.RedisError):
            psycopg.connect(host=str(self.sockets), user=ROLE, dbname="postgres").close()
            for name in ("broker", "telemetry"):
                with redis.Redis(unix_socket_path=str(self.sockets / f"{name}.sock")) as client:
                    client.ping()
            return True
        return False

    # --- the house --------------------------------------------------------------------------------

    def start_house(self) -> None:
        """Web, edge, the worker of telematics, and beat, which keeps asking it to drain."""
        python = [*TETHER, sys.executable]
        celery = [*python, "-m", "celery", "-A", "mobility"]
        bind = ["--bind", f"127.0.0.1:{self.web_port}", "--workers", "2", "--threads", "4"]
        self._add(
            "web", *python, "-m", "gunicorn", "mobility.wsgi", "--worker-class", "gthread", *bind
        )
        self._add("edge", *python, "manage.py", "run_edge")
        alone = ["--without-mingle", "--without-gossip", "--without-heartbeat"]
        worker = ["worker", "-Q", "telematics", "-c", "2", "-n", "faults@%h", *alone]
        self._add("worker", *celery, *worker)
        schedule = ["-s", str(self.folder / "beat"), "--pidfile="]
        self._add("beat", *celery, "beat", *schedule)
        self.until(lambda: self.answers("web") and self.answers("edge"), within_s=90)

    def start_charging(self) -> None:
        """The chargers' gateway, the relay, a worker that settles, and beat."""
        python = [*TETHER, sys.executable]
        celery = [*python, "-m", "celery", "-A", "mobility"]
        where = ["--port", str(self.ocpp_port), "--name", "faults"]
        self._add("ocpp", *python, "manage.py", "run_ocpp", *where)
        self._add("relay", *python, "manage.py", "run_relay")
        alone = ["--without-mingle", "--without-gossip", "--without-heartbeat"]
        worker = ["worker", "-Q", "sessions,default", "-c", "1", "-n", "faults@%h", *alone]
        self._add("worker", *celery, *worker)
        schedule = ["-s", str(self.folder / "beat"), "--pidfile="]
        self._add("beat", *celery, "beat", *schedule)
        self.until(lambda: self.answers("ocpp"), within_s=90)

    def stations(self, count: int) -> list[dict[str, str]]:
        """So many chargers with a card each, all with the password of the tests' chargers."""
        told = self._manage("-m", "tests.faults.provision_charging", str(count))
        made: list[dict[str, str]] = json.loads(told.splitlines()[-1])
        return made

    def renew_broker(self) -> None:
        """Tell the broker who may use it, and start it if it does not run."""
        if not self.mosquitto:
            assert broker.may_be_left_out(), "there is no mosquitto on this machine"
            return
        self._manage("export_broker_users", str(self.folder))
        if "mosquitto" in self.processes:
            handle = self.processes["mosquitto"].handle
            assert handle is not None
            handle.send_signal(signal.SIGHUP)
            return
        text = broker.EXAMPLE.read_text().replace("listener 1883", f"listener {self.mqtt_port}")
        for place in ("/etc/mosquitto/mobility", "/var/lib/mosquitto"):
            text = text.replace(place, str(self.folder))
        config = self.folder / "mosquitto.conf"
        config.write_text(f"{text}\nuser {pwd.getpwuid(os.geteuid()).pw_name}\n")
        self._add("mosquitto", *TETHER, self.mosquitto, "-c", str(config))
        self.until(lambda: self.answers("mosquitto"), within_s=30)

    def _manage(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, *(words if words[0] == "-m" else ("manage.py", *words))],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def provision(self, *, http: int, teltonika: int, mqtt: int) -> dict[str, list[dict[str, str]]]:
        """Vehicles with devices of all kinds."""
        numbers = (str(number) for number in (http, teltonika, mqtt if self.mosquitto else 0))
        told = self._manage("-m", "tests.faults.provision", *numbers)
        made: dict[str, list[dict[str, str]]] = json.loads(told.splitlines()[-1])
        self.renew_broker()
        return made

    # --- faults -----------------------------------------------------------------------------------

    def kill(self, name: str) -> None:
        """kill -9 of a process with all its children; PostgreSQL crashes without a word instead.

        Its own processes would otherwise outlive their head for a moment and keep a new one out.
        """
        process = self.processes[name]
        assert process.handle is not None
        if name == "postgres":
            process.handle.send_signal(signal.SIGQUIT)
            process.handle.wait(30)
        else:
            process.kill()
        if process._sink is not None:
            process._sink.close()

    def kill_and_restart(self, name: str, *, away_s: float) -> None:
        """Kill, wait, start again until it answers; the others go on meanwhile."""
        self.kill(name)
        time.sleep(away_s)
        self.start(name)
        self.until(lambda: self.answers(name), within_s=90)

    def answers(self, name: str) -> bool:
        """Whether a process serves; of a worker we only see that it lives."""
        process = self.processes[name]
        if process.handle is None or process.handle.poll() is not None:
            raise AssertionError(f"{name} ended:\n{process.tail()}")
        if name in SERVERS:
            return self.servers_answer()
        ports = {
            "web": self.web_port,
            "edge": self.edge_port,
            "mosquitto": self.mqtt_port,
            "ocpp": self.ocpp_port,
        }
        port = ports.get(name)
        return port is None or listens(port)

    def until(self, condition: Callable[[], bool], *, within_s: float) -> None:
        """Wait until something is so."""
        deadline = time.monotonic() + within_s
        while not condition():
            if time.monotonic() > deadline:
                logs = [f"--- {one.name}\n{one.tail(25)}" for one in self.processes.values()]
                raise TimeoutError("\n".join(logs))
            time.sleep(0.1)

    def stop(self) -> None:
        """End all, in the reverse order of their start; nobody needs what they leave."""
        for name in reversed(self.processes):
            with suppress(ProcessLookupError):
                self.kill(name)


SERVERS = ("postgres", "broker", "telemetry")


@contextmanager
def throw_away_stand(
    programs: Programs, *, tables_of: str, durable: bool = False
) -> Iterator[Stand]:
    """Servers and house, in a folder with a short name that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="mob-"))
    stand = Stand(programs=programs, folder=folder)
    try:
        stand.start_servers(tables_of=tables_of, durable=durable)
        yield stand
    finally:
        stand.stop()
        shutil.rmtree(folder, ignore_errors=True)
