"""What the demo tells only its owner: log-ins for people, secrets for the simulator.

Two files in `.data/`, readable by the owner alone. Secrets are kept nowhere else (the database has
hashes), so when the files are lost, new secrets are issued and the old ones stop working.
"""

import dataclasses
import json
from pathlib import Path
from typing import Any

from mobility.demo.fleet import Placement
from mobility.demo.people import LogIn


def read(path: Path) -> dict[str, Any] | None:
    """The file's content, or None if it is missing or damaged."""
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content


def write(path: Path, content: dict[str, Any]) -> None:
    """Write the file whole or not at all, for the owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.chmod(0o600)
    draft.write_text(json.dumps(content, indent=1), encoding="utf-8")
    draft.replace(path)


def log_ins_json(log_ins: list[LogIn]) -> dict[str, Any]:
    """The log-ins as `./dev up` prints them."""
    return {"users": [dataclasses.asdict(log_in) for log_in in log_ins]}


def device_json(placement: Placement, secret: str) -> dict[str, Any]:
    """A vehicle's telemetry unit as the simulator reads it."""
    return {
        "code": placement.code,
        "kind": placement.kind,
        "secret": secret,
        "lat": placement.lat,
        "lon": placement.lon,
        "battery_pct": placement.battery_pct,
    }
