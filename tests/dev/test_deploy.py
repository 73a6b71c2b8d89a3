"""The examples of deploy/ name what exists, and agree with `./dev up`."""

import re
import shlex
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from tests.dev.conftest import ROOT

DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
OURS = {
    name: service for name, service in COMPOSE["services"].items() if service["image"] == "mobility"
}


def words_of(unit: Path) -> list[str]:
    """Return the command of a systemd unit without the path of its interpreter."""
    line = next(line for line in unit.read_text().splitlines() if line.startswith("ExecStart="))
    return shlex.split(line.removeprefix("ExecStart=").replace("%%", "%"))[1:]


def commands() -> dict[str, list[str]]:
    """Return every command of a unit or a container by name."""
    found = {unit.stem: words_of(unit) for unit in UNITS}
    return found | {
        name: service["command"][1:] for name, service in OURS.items() if "command" in service
    }


@pytest.mark.parametrize("name", commands())
def test_every_command_exists(name: str, dev: ModuleType) -> None:
    words = commands()[name]
    if words[0] == "manage.py":
        assert words[1] == "migrate" or dev.exists(words[1])
        return
    assert words[:2] in (["-m", "gunicorn"], ["-m", "uvicorn"], ["-m", "celery"])
    for module in re.findall(r"(mobility\.\w+):application", " ".join(words)):
        assert (ROOT / f"{module.replace('.', '/')}.py").exists()


def test_all_places_run_the_same_processes(dev: ModuleType) -> None:
    env = {"WEB_PORT": "8000", "LIVE_PORT": "8001", "OCPP_PORT": "9000"}
    here = {process.name for process in dev.processes(env)} - {"simulator"}
    assert {unit.stem.removeprefix("mobility-") for unit in UNITS} == here
    assert OURS.keys() - {"migrate"} == here
    target = (DEPLOY / "systemd/mobility.target").read_text()
    assert set(re.findall(r"mobility-(\w+)\.service", target)) == here


def test_all_places_serve_the_same_queues(dev: ModuleType) -> None:
    env = {"WEB_PORT": "8000", "LIVE_PORT": "8001", "OCPP_PORT": "9000"}
    here = queues([list(p.command) for p in dev.processes(env)])
    assert queues(words_of(unit) for unit in UNITS) == here
    assert queues(service.get("command", []) for service in OURS.values()) == here
    from mobility import schedule

    assert {str(queue) for queue in schedule.QUEUES} == here


def queues(found: Any) -> set[str]:
    """Return the Celery queues that some commands serve."""
    return {q for words in found if "-Q" in words for q in words[words.index("-Q") + 1].split(",")}


def test_every_setting_of_the_examples_is_documented(dev: ModuleType) -> None:
    documented = set(
        re.findall(r"^\| `([A-Z_]+)`", (ROOT / "docs/settings.md").read_text(), re.MULTILINE)
    )
    assert dev.read_env_file(DEPLOY / "production.env.example").keys() <= documented
    assert COMPOSE["x-app"]["environment"].keys() <= documented
    stand = dev.Stand("main", dev.Servers(Path(), Path()))
    own = {
        "DEV_STAND",
        "CELERY_BROKER_URL",
    }  # the first is for ./dev itself, the second for other tools
    assert stand.env.keys() - own <= documented


def test_the_image_gets_every_folder_the_code_needs() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    copied = set(re.findall(r"^COPY (\w+) \1$", text, re.MULTILINE))
    assert {"mobility", "bookings", "fleet", "charging", "templates", "static", "locale"} <= copied


def test_the_proxy_reaches_every_door() -> None:
    text = (DEPLOY / "nginx.conf.example").read_text()
    for unit, port in {"web": 8000, "live": 8001, "ocpp": 9000}.items():
        assert f"upstream mobility_{unit}" in text
        assert f"127.0.0.1:{port}" in text
        assert f"proxy_pass http://mobility_{unit};" in text
        assert str(port) in " ".join(words_of(DEPLOY / f"systemd/mobility-{unit}.service"))
    locations = re.split(r"\n    location ", text)[1:]
    assert not [block for block in locations if "proxy_set_header" in block.partition("}")[0]]


@pytest.mark.long
def test_systemd_finds_nothing_wrong_with_the_units(dev: ModuleType, tmp_path: Path) -> None:
    root = dev.unpacked("systemd", ["systemd"])
    inner = {str(path.parent) for path in root.rglob("libsystemd-shared*.so")}
    libraries = ":".join([*inner, *map(str, dev.library_folders(root))])
    for unit in (DEPLOY / "systemd").iterdir():
        there = "/opt/mobility/.venv/bin/python"
        (tmp_path / unit.name).write_text(unit.read_text().replace(there, "/usr/bin/env"))
    done = subprocess.run(
        [root / "usr/bin/systemd-analyze", "verify", "--man=no", *tmp_path.iterdir()],
        env={
            "LD_LIBRARY_PATH": libraries,
            "SYSTEMD_UNIT_PATH": f"{tmp_path}:{root}/lib/systemd/system:",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
