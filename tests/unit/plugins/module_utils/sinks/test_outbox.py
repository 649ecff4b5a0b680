# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The outbox when it is full, damaged, changed by others, held by another push, or killed while it takes a run."""

from __future__ import annotations

import fcntl
import json
import pathlib
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import open_run
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks import outbox as outbox_file
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.item import Item
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.outbox import Outbox
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.sink import Limits
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as
from ansible_collections.securescan.kubernetes.tests.support.pushes import PROGRAM, wide_run

ALL = Limits(1000, 10_000_000)


@pytest.fixture
def run(tmp_path: pathlib.Path) -> Any:
    return wide_run(tmp_path, 3)


def opened(folder: pathlib.Path) -> Outbox:
    return Outbox(folder / "outboxes", "test", "there", "demo")


def items(number: int, size: int = 10) -> list[Item]:
    return [Item(f"{one:032x}", f"subject {one}", "night-0", body=b"x" * size) for one in range(number)]


def path_of(folder: pathlib.Path) -> pathlib.Path:
    (path,) = (folder / "outboxes").glob("*.sqlite3")
    return path


def refused(folder: pathlib.Path) -> ScanError:
    with pytest.raises(ScanError) as failure, opened(folder):
        pass
    return failure.value


def test_a_batch_keeps_to_its_limits_and_an_item_that_is_too_large_goes_alone(
    tmp_path: pathlib.Path, run: Any
) -> None:
    with opened(tmp_path) as outbox:
        outbox.add_run(run, [*items(5), Item("f" * 32, "large", "night-0", body=b"x" * 100)])
        sizes = []
        while batch := outbox.next_batch(Limits(3, 25)):
            sizes.append([one.size for one in batch])
            outbox.settle([(one, None) for one in batch])
    assert sizes == [[10, 10], [10, 10], [10], [100]]


def test_what_was_sent_without_an_answer_is_known_by_its_tries(tmp_path: pathlib.Path, run: Any) -> None:
    with opened(tmp_path) as outbox:
        outbox.add_run(run, items(2))
        assert [one.item.tries for one in outbox.next_batch(ALL)] == [0, 0]
    with opened(tmp_path) as outbox:
        batch = outbox.next_batch(ALL)
        assert [one.item.tries for one in batch] == [1, 1]
        outbox.not_sent(batch)
        assert [one.item.tries for one in outbox.next_batch(ALL)] == [1, 1]


def test_a_run_comes_in_as_a_whole_or_not_at_all(tmp_path: pathlib.Path, run: Any) -> None:
    def breaking() -> Any:
        yield from items(2)
        raise ScanError("bad_results", "a document is broken")

    with opened(tmp_path) as outbox:
        with pytest.raises(ScanError, match="a document is broken"):
            outbox.add_run(run, breaking())
        assert not outbox.has_run(run) and outbox.waiting().items == 0


def test_a_second_push_waits_and_is_told(
    tmp_path: pathlib.Path, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_file, "_LOCK_SECONDS", 0.2)
    with opened(tmp_path):
        assert refused(tmp_path).reason == "push_busy"
        with (
            path_of(tmp_path).with_suffix(".lock").open() as held,
            pytest.raises(OSError, match="unavailable"),
        ):
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with opened(tmp_path):
        pass


@pytest.mark.parametrize(
    "how", ["garbage", "cut", "trigger", "other system", "newer", "another database", "a link", "shared"]
)
def test_a_file_that_is_not_ours_is_told_and_left(tmp_path: pathlib.Path, run: Any, how: str) -> None:
    with opened(tmp_path) as outbox:
        outbox.add_run(run, items(200, 1000))
    path = path_of(tmp_path)
    if how == "garbage":
        path.write_bytes(b"no database" * 1000)
    elif how == "cut":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif how == "a link":
        path.rename(tmp_path / "elsewhere")
        path.symlink_to(tmp_path / "elsewhere")
    elif how == "shared":
        path.chmod(0o666)
    else:
        with sqlite3.connect(path) as database:
            database.execute(
                {
                    "trigger": "CREATE TRIGGER t AFTER DELETE ON items BEGIN INSERT INTO controls VALUES ('x', 'y'); END",
                    "other system": "UPDATE head SET destination = 'elsewhere'",
                    "newer": "PRAGMA user_version = 2",
                    "another database": "PRAGMA application_id = 1",
                }[how]
            )
            if how == "newer":
                database.execute("ALTER TABLE items ADD COLUMN more TEXT")
        database.close()
    before = path.read_bytes()
    error = refused(tmp_path)
    assert error.reason == "bad_spool" and str(path) in error.message
    assert path.read_bytes() == before
    attack_ends_as("31-outbox", outcome="bad_spool, and the file stays as it is")


def test_a_path_out_of_the_run_is_not_read(tmp_path: pathlib.Path, run: Any) -> None:
    secret = tmp_path / "secret"
    secret.write_text("sesame")
    for number, path in enumerate(("../../secret", str(secret), "hdf/../../../secret", "hdf/link")):
        (pathlib.Path(run.folder) / "hdf" / "link").unlink(missing_ok=True)
        (pathlib.Path(run.folder) / "hdf" / "link").symlink_to(secret)
        with Outbox(tmp_path / f"o{number}", "test", "there", "demo") as outbox:
            outbox.add_run(run, [Item("0" * 32, "s", "night-0", path=path, sha256="0" * 64)])
            (one,) = outbox.next_batch(ALL)
            assert one.problem is not None and one.problem.reason == "bad_results"
            assert one.item.body == b""
    attack_ends_as("31-paths", outcome="bad_results, and nothing of them is sent")


@pytest.mark.parametrize("together", [True, False])
def test_documents_of_a_run_that_was_moved_are_sent(tmp_path: pathlib.Path, run: Any, together: bool) -> None:
    kept = run.targets[0]
    item = Item("0" * 32, "s", run.run_id, path=kept.hdf, sha256=kept.hdf_sha256)
    runs = pathlib.Path(run.folder).parent
    with Outbox(runs / ".push", "test", "there", "demo") as outbox:
        outbox.add_run(run, [item])
    if together:
        runs = runs.rename(tmp_path / "moved")
    else:
        moved = open_run(str(pathlib.Path(run.folder).rename(tmp_path / "alone")))
    with Outbox(runs / ".push", "test", "there", "demo") as outbox:
        assert together or outbox.has_run(moved)
        (one,) = outbox.next_batch(ALL)
        assert one.problem is None and one.item.body


def limit_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def test_a_full_disk_is_told_and_nothing_is_by_halves(tmp_path: pathlib.Path) -> None:
    run = wide_run(tmp_path, 150)
    params = {"system": "webhook", "url": "https://127.0.0.1:1/", "run_dir": run.folder, "retries": 0}
    done = subprocess.run(
        [sys.executable, str(PROGRAM)],
        input=json.dumps(params),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limit_files,
    )
    assert done.returncode != 0 and "write_failed" in done.stderr, done.stderr
    again = subprocess.run(
        [sys.executable, str(PROGRAM)], input=json.dumps(params), capture_output=True, text=True, check=True
    )
    assert json.loads(again.stdout.splitlines()[-1])["queued"] == 450, "nothing of the run was there"


def test_a_kill_while_a_run_comes_in_leaves_nothing_of_it(tmp_path: pathlib.Path) -> None:
    run = wide_run(tmp_path, 150)
    params = {"system": "webhook", "url": "https://127.0.0.1:1/", "run_dir": run.folder, "retries": 0}
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(params))
    process.stdin.close()
    folder = tmp_path / "demo" / ".push"
    while not list(folder.glob("*.sqlite3-journal")):
        assert process.poll() is None
        time.sleep(0.002)
    process.kill()
    process.wait()
    done = subprocess.run(
        [sys.executable, str(PROGRAM)], input=json.dumps(params), capture_output=True, text=True, check=True
    )
    result = json.loads(done.stdout.splitlines()[-1])
    assert (result["queued"], result["spooled"]) == (450, 450)
