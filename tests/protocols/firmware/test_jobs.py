"""Firmware and logs: every path of statuses, also in the wrong order; an end stays the end."""

from __future__ import annotations

import io
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from charging.devices import services
from charging.devices.models import FirmwareJob, LogJob
from charging.devices.rules import next_state
from charging.devices.states import FIRMWARE_ENDS, FIRMWARE_MOVES, LOG_ENDS, LOG_MOVES
from charging.stations.models import ChargingStation, StationCommand
from mobility.core import clock, files, ids
from mobility.core.models import OutboxEvent
from mobility.core.principals import SYSTEM
from tests.charging.ocpp.conftest import Grid
from tests.charging.ocpp.peer import Peer
from tests.protocols.asking import Eventually, ask, connected, exchange, over
from tests.protocols.versions import V16

FIRMWARE = {"location": "https://example.org/f", "retrieve_at": "2026-05-01T10:00:00Z"}
SIGNED = {**FIRMWARE, "certificate": "PEM", "signature": "c2ln"}
WELL = ["Downloading", "Downloaded", "Installing", "Installed"]
WELL_SIGNED = [
    "DownloadScheduled",
    "Downloading",
    "Downloaded",
    "SignatureVerified",
    "InstallScheduled",
    "Installing",
    "InstallRebooting",
    "Installed",
]


def update(
    peer: Peer, station: ChargingStation, eventually: Eventually, *, signed: bool = False
) -> tuple[FirmwareJob, StationCommand]:
    command = ask(station, "update_firmware", SIGNED if signed else FIRMWARE)
    bare = station.ocpp_version == V16 and not signed
    exchange(peer, {} if bare else {"status": "Accepted"})
    over(command, eventually)
    return FirmwareJob.objects.get(command=command), command


def say(peer: Peer, version: str, command: StationCommand, status: str, *, signed: bool) -> None:
    name = "SignedFirmwareStatusNotification" if version == V16 and signed else None
    payload: dict[str, Any] = {"status": status}
    if version != V16 or signed:
        payload["requestId"] = command.pk
    assert peer.result(name or "FirmwareStatusNotification", payload) == {}


@pytest.mark.parametrize("signed", [False, True])
def test_an_update_is_followed_to_its_end(
    grid: Grid, eventually: Eventually, version: str, signed: bool
) -> None:
    station, peer = connected(grid, version)
    job, command = update(peer, station, eventually, signed=signed)
    assert (job.state, job.signed) == ("Accepted", signed)
    for word in WELL_SIGNED if signed else WELL:
        say(peer, version, command, word, signed=signed)
        job.refresh_from_db()
        assert job.state == word
    assert job.finished_at is not None
    events = OutboxEvent.objects.filter(name="charging.firmware_job_finished.v1")
    assert [e.payload["state"] for e in events if e.payload["job_id"] == str(job.public_id)] == [
        "Installed"
    ]


def test_an_invalid_signature_is_shown_and_nothing_later_hides_it(
    grid: Grid, eventually: Eventually, version: str
) -> None:
    station, peer = connected(grid, version)
    job, command = update(peer, station, eventually, signed=True)
    for word in ("Downloading", "Downloaded", "InvalidSignature", "Downloading", "Installing"):
        say(peer, version, command, word, signed=True)
    job.refresh_from_db()
    assert job.state == "InvalidSignature"
    # What the station said stays to be read, in the order in which it came.
    assert [one["status"] for one in job.statuses][-3:] == [
        "InvalidSignature",
        "Downloading",
        "Installing",
    ]


def test_a_late_status_of_an_earlier_stage_takes_nothing_back(
    grid: Grid, eventually: Eventually, version: str
) -> None:
    station, peer = connected(grid, version)
    job, command = update(peer, station, eventually)
    for word in ("Downloading", "Installing", "Downloaded", "Downloading"):
        say(peer, version, command, word, signed=False)
    job.refresh_from_db()
    assert job.state == "Installing"
    say(peer, version, command, "Installed", signed=False)
    say(peer, version, command, "InstallationFailed", signed=False)
    job.refresh_from_db()
    assert job.state == "Installed"


@pytest.mark.parametrize("word", ["InvalidCertificate", "RevokedCertificate", "Rejected"])
def test_a_refused_update_is_refused_with_its_reason(
    grid: Grid, eventually: Eventually, version: str, word: str
) -> None:
    station, peer = connected(grid, version)
    command = ask(station, "update_firmware", SIGNED)
    exchange(peer, {"status": word})
    assert over(command, eventually).state == "rejected"
    job = FirmwareJob.objects.get(command=command)
    assert (job.state, job.statuses[-1]["status"]) == ("Refused", word)


def test_a_newer_update_replaces_the_one_under_way(
    grid: Grid, eventually: Eventually, version: str
) -> None:
    station, peer = connected(grid, version)
    older, _command = update(peer, station, eventually, signed=True)
    command = ask(station, "update_firmware", SIGNED)
    exchange(peer, {"status": "AcceptedCanceled"})
    over(command, eventually)
    older.refresh_from_db()
    assert older.state == "Replaced"
    assert FirmwareJob.objects.get(command=command).state == "Accepted"


def test_an_update_nobody_hears_of_any_more_is_lost_until_it_speaks(
    grid: Grid, eventually: Eventually, version: str
) -> None:
    station, peer = connected(grid, version)
    job, command = update(peer, station, eventually, signed=True)
    services.give_up_jobs(at=clock.now() + timedelta(hours=50))
    job.refresh_from_db()
    assert job.state == "Lost"
    say(peer, version, command, "Downloading", signed=True)
    say(peer, version, command, "Installed", signed=True)
    job.refresh_from_db()
    assert job.state == "Installed"


def test_a_status_of_no_job_is_answered(grid: Grid, version: str) -> None:
    _station, peer = connected(grid, version)
    assert peer.result("FirmwareStatusNotification", {"status": "Idle"}) == {}


def fetch(station: ChargingStation, kind: str = "diagnostics") -> LogJob:
    return services.fetch_log(
        station=station,
        kind=kind,
        idempotency_key=ids.short_code(12),
        at=clock.now(),
        by=SYSTEM,
    )


def log_answer(version: str, kind: str = "diagnostics") -> dict[str, Any]:
    if version == V16 and kind == "diagnostics":
        return {"fileName": "log.zip"}
    return {"status": "Accepted", "filename": "log.zip"}


@pytest.mark.parametrize("kind", ["diagnostics", "security"])
def test_a_station_brings_its_log_to_an_address_good_for_one_job(
    grid: Grid, eventually: Eventually, version: str, kind: str
) -> None:
    station, peer = connected(grid, version)
    job = fetch(station, kind)
    call = peer.receive()
    address = call[3].get("location") or call[3]["log"]["remoteLocation"]
    peer.answer(call, log_answer(version, kind))
    # These tests commit: the job is over once its command is.
    over(StationCommand.objects.get(pk=job.command_id), eventually)
    secret = address.rstrip("/").rsplit("/", 1)[1]
    done = services.take_upload(
        secret=secret, name="log.zip", content=io.BytesIO(b"all is well"), at=clock.now()
    )
    assert (done.pk, done.state, done.file_name) == (job.pk, "Uploaded", "log.zip")
    assert done.file is not None
    with files.open_file(done.file) as content:
        assert content.read() == b"all is well"
    with pytest.raises(services.UploadRefused):
        services.take_upload(secret=secret, name="x", content=io.BytesIO(b"again"), at=clock.now())


@pytest.mark.parametrize("end", ["Uploaded", "UploadFailure", "PermissionDenied"])
def test_the_upload_is_followed_and_its_end_is_final(
    grid: Grid, eventually: Eventually, version: str, end: str
) -> None:
    station, peer = connected(grid, version)
    job = fetch(station, "security")
    exchange(peer, log_answer(version, "security"))
    command = over(StationCommand.objects.get(pk=job.command_id), eventually)
    for word in ("Uploading", end, "Uploading"):
        payload = {"status": word, "requestId": command.pk}
        assert peer.result("LogStatusNotification", payload) == {}
    job.refresh_from_db()
    assert job.state == end


@pytest.mark.parametrize("version", [V16])
def test_the_diagnostics_of_16_have_no_number_and_an_empty_answer_means_nothing_there(
    grid: Grid, eventually: Eventually, version: str
) -> None:
    station, peer = connected(grid, version)
    job = fetch(station)
    exchange(peer, {})
    over(StationCommand.objects.get(pk=job.command_id), eventually)
    job.refresh_from_db()
    assert job.state == "Empty"
    job = fetch(station)
    exchange(peer, {"fileName": "d.zip"})
    over(StationCommand.objects.get(pk=job.command_id), eventually)
    for word in ("Uploading", "UploadFailed"):
        peer.result("DiagnosticsStatusNotification", {"status": word})
    job.refresh_from_db()
    assert job.state == "UploadFailure"


@pytest.mark.parametrize(
    ("moves", "ends", "path"),
    [
        (FIRMWARE_MOVES, FIRMWARE_ENDS - {"Lost"}, WELL),
        (LOG_MOVES, LOG_ENDS - {"Lost"}, ["Uploading", "Uploaded"]),
    ],
)
def test_in_whatever_order_statuses_come_the_job_ends_at_the_same_end(
    moves: dict[str, frozenset[str]], ends: frozenset[str], path: list[str]
) -> None:
    for order in permutations(path):
        state = "Asked"
        for word in order:
            state = next_state(state=state, said=word, moves=moves) or state
        assert state == path[-1]
    for end in ends:
        for word in path:
            assert next_state(state=end, said=word, moves=moves) is None
