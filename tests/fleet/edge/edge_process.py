"""`manage.py run_edge` as an operator runs it, on the test database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from django.db import connection

ROOT = Path(__file__).resolve().parents[3]


def environment() -> dict[str, str]:
    """Ours, with the test database."""
    url = urlsplit(os.environ["DATABASE_URL"])
    name = str(connection.settings_dict["NAME"])
    return {**os.environ, "DATABASE_URL": url._replace(path=f"/{name}").geturl()}


class EdgeProcess:
    """Started when it says where it listens."""

    def __init__(self, *, mqtt_url: str = "", teltonika: str = "127.0.0.1:0") -> None:
        env = {**environment(), "MQTT_URL": mqtt_url, "TELTONIKA_ADDRESS": teltonika}
        command = [sys.executable, "manage.py", "run_edge", "--json"]
        self.process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(b"{"):
                where = json.loads(line)
                if "mqtt" in where:
                    break
        else:
            raise AssertionError("the edge did not start")
        self.port = int(where["teltonika"].rpartition(":")[2]) if where["teltonika"] else 0

    @property
    def pid(self) -> int:
        return self.process.pid

    def wait(self) -> int:
        return self.process.wait(30)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
