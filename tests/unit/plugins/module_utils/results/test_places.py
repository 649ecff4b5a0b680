# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import hashlib
import pathlib
from dataclasses import replace

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.known_results import KnownResult
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.place import Place, fingerprint
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.progress import (
    PROGRESS_JSON,
    RUNNING,
    Progress,
    read_progress,
    write_progress,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.target_record import Carried
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_document,
    make_run,
    make_target,
)

PROGRESS = Progress(
    run_id="run-1",
    started="2026-11-23T10:00:00.000+00:00",
    deadline=None,
    selected=9,
    done=4,
    failing=1,
    not_scanned=1,
    carried=2,
    state=RUNNING,
    updated="2026-11-23T10:00:07.000+00:00",
)


def test_a_place_stays_when_its_pods_are_replaced() -> None:
    one, other = make_target("api-1"), make_target("api-2")
    assert Place.of(one) == Place.of(other)
    assert Place.of(one).id == "demo/shop/Deployment/api/app"
    sidecar = make_target("api-1", "proxy")
    assert sorted([Place.of(sidecar), Place.of(one)]) == [Place.of(one), Place.of(sidecar)]


def test_a_fingerprint_is_of_place_profile_and_control_and_never_changes() -> None:
    text = '["demo/shop/Deployment/api/app","baseline","c-1"]'
    mark = fingerprint("demo/shop/Deployment/api/app", "baseline", "c-1")
    assert mark == hashlib.sha256(text.encode()).hexdigest()
    assert fingerprint("a", "b/c", "d") != fingerprint("a/b", "c", "d")
    assert len(fingerprint("\udcff", "b", "ü")) == 64


def test_what_is_known_of_a_target_names_the_run_that_scanned_it() -> None:
    target = make_target(image_id="sha256:1")
    document = make_document(target, make_control("c-1", "failed"))
    run = make_run([(target, document)], threshold=None, amendments_sha256="ab")
    (record,) = run.targets
    known = KnownResult.of(run, record)
    assert (known.place_id, known.run_id, known.result) == ("demo/shop/Deployment/api/app", "run-1", "fail")
    assert (known.profiles, known.amendments_sha256) == ({"baseline": "ab" * 32}, "ab")
    carried = replace(record, carried=Carried("run-0", "fresh", 60))
    assert KnownResult.of(run, carried).run_id == "run-0"


def test_progress_is_read_as_it_was_written(tmp_path: pathlib.Path) -> None:
    assert read_progress(tmp_path) is None
    write_progress(tmp_path, PROGRESS)
    assert read_progress(tmp_path) == PROGRESS
    write_progress(tmp_path, replace(PROGRESS, deadline="2026-11-23T11:00:00.000+00:00"))
    assert [path.name for path in tmp_path.iterdir()] == [PROGRESS_JSON]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "is not JSON"),
        (b"[]", "is not a scan's progress"),
        (b"{}", "is not a scan's progress of schema version 1"),
        (b" " * 70_000, "has more than 65536 bytes"),
        (b'{"schema": "securescan.kubernetes/progress", "schema_version": 1}', "selected is missing"),
    ],
)
def test_what_is_no_progress_is_refused(tmp_path: pathlib.Path, data: bytes, problem: str) -> None:
    (tmp_path / PROGRESS_JSON).write_bytes(data)
    with pytest.raises(ScanError, match=problem):
        read_progress(tmp_path)


def test_a_link_is_not_followed(tmp_path: pathlib.Path) -> None:
    write_progress(tmp_path, PROGRESS)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / PROGRESS_JSON).symlink_to(tmp_path / PROGRESS_JSON)
    with pytest.raises(ScanError, match="it is a link"):
        read_progress(tmp_path / "runs")
