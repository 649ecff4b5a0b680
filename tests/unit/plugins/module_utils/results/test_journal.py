# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an interrupted run leaves: whatever of its journal is whole is read, and nothing else."""

from __future__ import annotations

import pathlib

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.journal import (
    JOURNAL,
    JournalWriter,
    read_journal,
    remove_journal,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.notes import WAIVER, Note
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_document,
    make_run,
    make_target,
)

NOTE = Note(WAIVER, "c-1", "expired", "c-1: expired")


@pytest.fixture
def run() -> Run:
    targets = [make_target(f"api-{number}") for number in range(3)]
    return make_run(
        [(one, make_document(one, make_control("c-1", "failed"))) for one in targets], threshold=None
    )


def written(folder: pathlib.Path, run: Run) -> pathlib.Path:
    """The journal of a process that is gone."""
    writer = JournalWriter(folder, make_run([], threshold=None))
    for record in run.targets:
        writer.add(record, [NOTE])
    writer.close()
    return folder / JOURNAL


def test_it_is_read_as_it_was_written(tmp_path: pathlib.Path, run: Run) -> None:
    written(tmp_path, run)
    journal = read_journal(tmp_path)
    assert journal is not None and journal.run.run_id == run.run_id and journal.run.targets == ()
    assert [record for record, _notes in journal.targets] == list(run.targets)
    assert all(notes == (NOTE,) for _record, notes in journal.targets)


def test_wherever_it_was_cut_off_the_lines_before_count(tmp_path: pathlib.Path, run: Run) -> None:
    path = written(tmp_path, run)
    whole = path.read_bytes()
    ends = [index for index, byte in enumerate(whole) if byte == 0x0A]
    for cut in range(0, len(whole), 97):
        path.write_bytes(whole[:cut])
        journal = read_journal(tmp_path)
        lines = sum(end < cut for end in ends)
        assert (len(journal.targets) + 1 if journal else 0) == lines


def test_what_is_no_target_ends_it(tmp_path: pathlib.Path, run: Run) -> None:
    path = written(tmp_path, run)
    head, first, _second, third = path.read_bytes().splitlines(keepends=True)
    for bad in (
        b"\xff\n",
        b"[]\n",
        b"{}\n",
        b'{"target": {}, "notes": []}\n',
        first.replace(b'"image"', b'"x"', 1),
    ):
        path.write_bytes(head + first + bad + third)
        journal = read_journal(tmp_path)
        assert journal is not None
        assert len(journal.targets) == (3 if b'"x"' in bad else 1)
    path.write_bytes(b"{}\n" + first)
    with pytest.raises(ScanError, match="is not a run summary"):
        read_journal(tmp_path)


def test_one_that_is_being_written_is_neither_read_nor_removed(tmp_path: pathlib.Path, run: Run) -> None:
    writer = JournalWriter(tmp_path, make_run([], threshold=None))
    writer.add(run.targets[0], [])
    assert read_journal(tmp_path) is None
    remove_journal(tmp_path)
    assert (tmp_path / JOURNAL).exists()
    with pytest.raises(ScanError, match="exists"):
        JournalWriter(tmp_path, make_run([], threshold=None))
    writer.close()
    assert read_journal(tmp_path) is not None
    remove_journal(tmp_path)
    assert not (tmp_path / JOURNAL).exists() and read_journal(tmp_path) is None


def test_a_link_is_not_followed(tmp_path: pathlib.Path, run: Run) -> None:
    path = written(tmp_path, run)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / JOURNAL).symlink_to(path)
    assert read_journal(tmp_path / "other") is None


def test_one_that_somebody_has_removed_does_not_fail_the_run_that_wrote_it(tmp_path: pathlib.Path) -> None:
    """Without locks, a later run takes it for one of a run that was interrupted."""
    writer = JournalWriter(tmp_path, make_run([], threshold=None))
    (tmp_path / JOURNAL).unlink()
    writer.remove()
