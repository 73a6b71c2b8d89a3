"""QR codes as runs of dark squares."""

from itertools import pairwise

from mobility.core.qr import QUIET, qr_runs


def test_a_code_has_its_three_corners_and_a_quiet_border():
    side, runs = qr_runs("ws://127.0.0.1:9000/ocpp/CP1")
    dark = {(run.row, run.column + i) for run in runs for i in range(run.length)}
    first, last = QUIET, side - QUIET - 1
    for row, column in ((first, first), (first, last - 6), (last - 6, first)):
        assert {(row, column + i) for i in range(7)} <= dark
        assert {(row + i, column) for i in range(7)} <= dark
        assert (row + 1, column + 1) not in dark
    assert all(first <= at <= last for square in dark for at in square)


def test_runs_do_not_touch():
    _side, runs = qr_runs("https://mobility.example/charge/ABCD1234/")
    assert all(
        before.row < after.row or before.column + before.length < after.column
        for before, after in pairwise(runs)
    )
