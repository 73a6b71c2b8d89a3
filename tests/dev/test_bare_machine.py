"""What can go wrong while a bare machine becomes a running city. All of it is slow."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.dev.conftest import LittleCity, all_processes, clean_env, lay_out

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

SYSTEM_PYTHON = Path("/usr/bin/python3")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")


@pytest.fixture
def bare_city(little_city: LittleCity) -> LittleCity:
    """A city whose clone has no packages and whose user has no unpacked servers yet."""
    (little_city.folder / ".venv").unlink()
    uv_cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "uv"
    caches = {
        "XDG_CACHE_HOME": str(little_city.folder.parent / "cache"),
        "UV_CACHE_DIR": str(uv_cache),
    }
    little_city.env |= caches
    little_city.patience = 240
    return little_city


def works(city: LittleCity) -> bool:
    """Say whether the city comes up, answers and ends without a trace."""
    up = city.up()
    up.terminate()
    up.communicate(timeout=30)
    return up.returncode == 0 and city.processes() == []


def test_a_bare_machine_then_a_second_run_without_network(bare_city: LittleCity) -> None:
    assert works(bare_city)
    offline = ["unshare", "--user", "--map-root-user", "--net", "sh", "-c"]
    script = "ip link set lo up 2>/dev/null; exec ./dev setup"
    done = subprocess.run(
        [*offline, script],
        cwd=bare_city.folder,
        env=bare_city.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Fetching" not in done.stderr


@pytest.mark.parametrize(
    ("how", "seconds"),
    [("terminate", 1), ("terminate", 5), ("kill", 0.5), ("kill", 2), ("kill", 4), ("kill", 6)],
)
def test_a_run_that_was_interrupted_is_run_again(
    bare_city: LittleCity, how: str, seconds: float
) -> None:
    broken = bare_city.begin("up", "--port", str(bare_city.port))
    time.sleep(seconds)
    getattr(broken, how)()
    broken.communicate(timeout=30)
    assert works(bare_city)


def test_two_runs_of_one_clone_at_once(bare_city: LittleCity) -> None:
    tests = bare_city.folder / "tests"
    tests.mkdir()
    (tests / "test_one.py").write_text(
        "import os\n\ndef test_stand():\n    print(os.environ['DATABASE_URL'])\n"
    )
    settings = "[pytest]\nmarkers = long\nDJANGO_SETTINGS_MODULE = mobility.settings\n"
    (bare_city.folder / "pytest.ini").write_text(settings)
    runs = [bare_city.begin("test", "tests", "-s") for _ in range(2)]
    outputs = [run.communicate(timeout=200) for run in runs]
    assert [run.returncode for run in runs] == [0, 0], outputs
    stands = {line for out, _ in outputs for line in out.splitlines() if "postgis://" in line}
    assert len(stands) == 2
    assert all("passed" in out.strip().splitlines()[-1] for out, _ in outputs)


def test_a_clone_that_was_moved(bare_city: LittleCity) -> None:
    assert works(bare_city)
    moved = bare_city.folder.with_name("elsewhere")
    bare_city.folder.rename(moved)
    bare_city.folder = moved
    assert works(bare_city)


def test_a_folder_too_deep_for_a_socket(bare_city: LittleCity) -> None:
    deep = bare_city.folder.parent / ("a" * 60) / ("b" * 60) / "city"
    deep.parent.mkdir(parents=True)
    bare_city.folder.rename(deep)
    bare_city.folder = deep
    assert works(bare_city)


def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    small = tmp_path / "small"
    city = small / "city"
    lay_out(tmp_path / "city")
    (tmp_path / "city" / ".venv").unlink()
    script = f"mount -t tmpfs -o size=20m none {small} && cp -a {tmp_path}/city {city} && cd {city}"
    small.mkdir()
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", f"{script} && ./dev up"],
        env=clean_env(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "The disk is full" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


@pytest.fixture
def somebody_elses_city(free_port: int) -> Iterator[LittleCity]:
    """A city in a folder that every user can reach, not in root's own temporary folder."""
    home = Path(tempfile.mkdtemp(prefix="city-"))
    home.chmod(0o755)
    lay_out(home / "city")
    (home / "city" / ".venv").unlink()
    env = clean_env() | {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    env = {key: value for key, value in env.items() if not key.startswith(("PIP_", "XDG_"))}
    yield LittleCity(home / "city", free_port, env)
    shutil.rmtree(home)


@as_root
@pytest.mark.parametrize("user", ["games", "4242"])
def test_an_ordinary_user_with_a_name_or_without(
    somebody_elses_city: LittleCity, user: str
) -> None:
    home = somebody_elses_city.folder.parent
    subprocess.run(["chown", "-R", f"{user}:60", str(home)], check=True)
    become = ["setpriv", f"--reuid={user}", "--regid=60", "--clear-groups"]
    command = [*become, "./dev", "setup"]
    done = subprocess.run(
        command, cwd=somebody_elses_city.folder, env=somebody_elses_city.env,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert somebody_elses_city.processes() == []


@as_root
def test_root_where_user_namespaces_are_denied(bare_city: LittleCity) -> None:
    shims = bare_city.folder.parent / "shims"
    shims.mkdir()
    (shims / "unshare").write_text("#!/bin/sh\nexit 1\n")
    (shims / "unshare").chmod(0o755)
    bare_city.env["PATH"] = f"{shims}:{bare_city.env['PATH']}"
    up = bare_city.up()
    servers = [line for _, line in all_processes() if "/var/tmp/shared-mobility/" in line]
    assert any("postgres" in line for line in servers)
    up.terminate()
    up.communicate(timeout=30)
    assert up.returncode == 0
    assert not [line for _, line in all_processes() if "/var/tmp/shared-mobility/" in line]


def test_a_python_without_pip(bare_city: LittleCity, dev: ModuleType) -> None:
    no_pip = bare_city.folder.parent / "no-pip"
    subprocess.run([dev.ensure_uv(), "venv", "--quiet", no_pip], check=True)
    bare_city.env["PATH"] = f"{no_pip}/bin:{bare_city.env['PATH']}"
    bare_city.env = {k: v for k, v in bare_city.env.items() if k != "VIRTUAL_ENV"}
    assert works(bare_city)
