"""What `./dev` decides, asked of the command as a module."""

import ast
import os
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.dev.conftest import ROOT


def test_it_needs_the_standard_library_and_nothing_else() -> None:
    tree = ast.parse((ROOT / "dev").read_text())
    imported = {
        name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names
    }
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names


def test_it_is_executable() -> None:
    assert os.access(ROOT / "dev", os.X_OK)


def test_the_lock_file_names_no_host_and_hashes_everything() -> None:
    text = (ROOT / "requirements.lock").read_text()
    assert "://" not in text
    assert "index" not in text
    pinned = re.findall(r"^[a-z0-9._\[\]-]+==", text, re.MULTILINE | re.IGNORECASE)
    blocks = [b for b in re.split(r"\n(?=[a-zA-Z0-9])", text) if not b.startswith("#")]
    assert len(pinned) == len(blocks) > 50
    assert all("--hash=sha256:" in block for block in blocks)


def test_the_lock_file_locks_every_declared_package() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    declared = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    names = {re.split(r"[\[<>=~!; ]", line)[0].lower() for line in declared}
    locked = set(
        re.findall(
            r"^([a-z0-9._-]+)(?:\[.*\])?==", (ROOT / "requirements.lock").read_text(), re.MULTILINE
        )
    )
    assert names - locked == set()


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("cp: write error: No space left on device", "The disk is full"),
        ("failed to write: (os error 28)", "The disk is full"),
        ("Temporary failure resolving 'x'", "needs the network"),
        ("E: dns error", "needs the network"),
        ("Segmentation fault", "Installing failed"),
    ],
)
def test_a_failed_step_is_explained(dev: ModuleType, output: str, sentence: str) -> None:
    assert sentence in dev.explain("Installing", output)


def test_the_newest_database_on_offer_is_taken_with_what_belongs_to_it(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered = "postgresql-15-postgis-3\npostgresql-9-postgis-3\npostgresql-15-postgis-3-scripts\n"
    monkeypatch.setattr(dev, "ask", lambda *_args, **_more: offered)
    names = dev.number_packages(["postgresql-*-postgis-3", "postgresql-*", "redis-server"], [])
    assert names == ["postgresql-15-postgis-3", "postgresql-15", "redis-server"]


def test_an_offline_first_run_says_that_it_needs_the_network(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dev, "ask", lambda *_args, **_more: "")
    with pytest.raises(dev.Trouble, match="needs the network"):
        dev.number_packages(["postgresql-*-postgis-3"], [])


def test_a_machine_without_apt_is_told_what_to_do(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(dev.Trouble, match="DATABASE_URL"):
        dev.unpacked("servers", ["redis-server"])


@pytest.mark.parametrize("depth", [1, 40])
def test_socket_paths_stay_within_what_the_kernel_takes(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, depth: int
) -> None:
    monkeypatch.setattr(dev, "DATA", tmp_path.joinpath(*["deep"] * depth))
    stand = dev.Stand("main", dev.Servers(Path(), Path()))
    longest = max(len(os.fsencode(stand.sockets / name)) for name in dev.SOCKET_NAMES)
    assert longest <= dev.SOCKET_PATH_LIMIT


def test_the_address_of_the_database_survives_odd_folder_names(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import environ
    import redis

    monkeypatch.setattr(dev, "DATA", tmp_path / "a b&c")
    dev.DATA.mkdir()
    stand = dev.Stand("main", dev.Servers(Path(), Path()))
    database = environ.Env.db_url_config(stand.env["DATABASE_URL"])
    assert database["OPTIONS"] == {"host": str(stand.sockets)}
    assert (database["USER"], database["NAME"]) == ("mobility", "mobility")
    connection = redis.from_url(stand.env["REDIS_URL"]).connection_pool.connection_kwargs
    assert connection["path"] == str(stand.sockets / "redis.sock")


def test_a_process_is_known_by_its_folder_not_by_its_id_alone(
    dev: ModuleType, tmp_path: Path
) -> None:
    pid_file = tmp_path / "pid"
    pid_file.write_text(f"{os.getpid()}\nmore lines\n")
    assert dev.running(pid_file, Path.cwd()) == os.getpid()
    assert dev.running(pid_file, tmp_path) is None
    pid_file.write_text("")
    assert dev.running(pid_file, Path.cwd()) is None


def test_a_kept_port_is_not_given_twice(dev: ModuleType, free_port: int) -> None:
    first, second = dev.Ports(), dev.Ports()
    port = first.take(free_port + 50, why="the first run")
    assert second.take(port, why="the second run") > port


def test_servers_of_another_stand_in_the_shell_are_not_ours(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(dev, "DATA", tmp_path)
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.setenv(name, "given")
    monkeypatch.setenv("DEV_STAND", "main")
    assert not dev.given_servers()
    assert "DATABASE_URL" not in dev.base_env()
    monkeypatch.delenv("DEV_STAND")
    assert dev.given_servers()
    assert dev.base_env()["DATABASE_URL"] == "given"


def test_the_signing_key_is_made_once_and_is_its_owners(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(dev, "DATA", tmp_path)
    monkeypatch.delenv("SECRET_KEY", raising=False)
    key = dev.secret_key()
    assert len(key) >= 50
    assert dev.secret_key() == key
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0


def test_a_folder_of_somebody_else_is_refused(dev: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(dev.Trouble, match="belongs to somebody else"):
        dev.private_folder(tmp_path / "link")


def test_the_database_of_the_tests_is_kept_until_migrations_change(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    migrations = tmp_path / "fleet" / "migrations"
    migrations.mkdir(parents=True)
    (tmp_path / "requirements.lock").touch()
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    monkeypatch.setattr(dev, "LOCK_FILE", tmp_path / "requirements.lock")
    mark = tmp_path / "schema"
    options, fingerprint = dev.schema_option(mark)
    assert "--create-db" in options
    mark.write_text(fingerprint)
    assert dev.schema_option(mark)[0] == ["--reuse-db"]
    assert "--create-db" in dev.schema_option(mark)[0], "a run that broke off leaves no mark"
    mark.write_text(fingerprint)
    (migrations / "0001_initial.py").write_text("changed")
    assert "--create-db" in dev.schema_option(mark)[0]


def test_unknown_words_go_to_pytest_only(dev: ModuleType) -> None:
    arguments, _ = dev.parse(["test", "-k", "trip", "tests/bookings"])
    assert arguments.words == ["-k", "trip", "tests/bookings"]
    with pytest.raises(SystemExit):
        dev.parse(["up", "--prot", "9"])


def test_a_long_log_is_put_aside(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(dev, "LOGS", tmp_path)
    monkeypatch.setattr(dev, "LOG_LIMIT", 10)
    talker = dev.Process(
        "web", ["sh", "-c", "echo many words; read x; echo more"], dict(os.environ)
    )
    talker.start()
    talker.child.wait()
    talker.shorten_log()
    assert talker.log_file.read_text() == ""
    assert "more" in (tmp_path / "web.log.1").read_text()


def test_a_folder_that_may_not_be_written_is_one_sentence(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_arguments: object) -> int:
        raise PermissionError(13, "Permission denied", "/srv/city/.data")

    monkeypatch.setattr(dev, "parse", lambda _words: (None, refuse))
    monkeypatch.setattr(os, "umask", lambda _mode: 0)
    monkeypatch.setattr(dev.signal, "signal", lambda *_: None)
    assert dev.main() == 1
    assert "Permission denied: '/srv/city/.data'" in capsys.readouterr().err


def test_without_a_home_folder_caches_lie_in_the_clone(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    monkeypatch.setattr(dev, "TOOLS", tmp_path / ".tools")
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/no-such-folder")
    monkeypatch.delenv("UV_CACHE_DIR", raising=False)
    assert dev.uv_env()["UV_CACHE_DIR"] == str(tmp_path / ".tools/uv")
    assert dev.cache_folder() == tmp_path / ".tools/cache"


def test_the_browser_script_names_its_libraries_and_fonts(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    (root / "usr/lib/x86_64-linux-gnu/nss").mkdir(parents=True)
    monkeypatch.setattr(dev, "DATA", tmp_path)
    monkeypatch.setattr(dev, "unpacked", lambda *_: root)
    script = dev.unpack_browser(tmp_path / "new folder" / "chromium")
    text = script.read_text()
    assert f"{root}/usr/lib/x86_64-linux-gnu/nss" in text
    assert f"FONTCONFIG_FILE='{tmp_path}/new folder/fonts.conf'" in text
    assert os.access(script, os.X_OK)
