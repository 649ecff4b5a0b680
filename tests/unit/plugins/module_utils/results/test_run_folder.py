# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import hashlib
import json
import pathlib
import resource
import signal
import stat
import threading
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.report import Report, write_report
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import open_run
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run_folder import (
    RunFolder,
    hdf_file_name,
)
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_document,
    make_run,
    make_target,
)

TARGET = make_target()
DOCUMENT = make_document(TARGET, make_control("c-1", "passed"))
RUN = make_run([(TARGET, DOCUMENT)])
SUMMARY_MARKDOWN = "summary.md"


def write_text(folder: RunFolder, text: str, name: str = SUMMARY_MARKDOWN) -> pathlib.Path:
    """Writes a report whose text is `text`."""
    return write_report(Report("text", name, lambda run, stream: stream.write(text)), RUN, folder.path)


def identity(**fields: str) -> dict[str, Any]:
    return make_target(**fields).identity()


def test_layout_and_modes(tmp_path: pathlib.Path) -> None:
    folder = RunFolder(str(tmp_path / "results"), "run-1")
    folder.create()
    path, sha256 = folder.write_hdf(DOCUMENT, TARGET.identity())
    assert path == "hdf/demo_shop_api-1_app.json"
    assert sha256 == hashlib.sha256((folder.path / path).read_bytes()).hexdigest()
    folder.write_summary(RUN)
    write_text(folder, "# text\n")
    write_text(folder, "<x/>", "gate.junit.xml")
    folder.mark_latest()
    latest = tmp_path / "results" / "latest"
    assert sorted(str(path.relative_to(folder.path)) for path in folder.path.rglob("*")) == [
        "gate.junit.xml",
        "hdf",
        "hdf/demo_shop_api-1_app.json",
        "summary.json",
        "summary.md",
    ]
    assert str(latest.readlink()) == "run-1"
    assert json.loads((latest / "hdf" / "demo_shop_api-1_app.json").read_text()) == DOCUMENT
    for path in [folder.path, *folder.path.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o750 if path.is_dir() else 0o640)
    assert sorted(path.name for path in latest.parent.iterdir()) == ["latest", "run-1"], (
        "nothing temporary is left"
    )
    attack_ends_as("H-14-modes", outcome="files 0640, folders 0750")


def test_latest_moves_to_the_next_run(tmp_path: pathlib.Path) -> None:
    for run_id in ("run-1", "run-2"):
        folder = RunFolder(str(tmp_path), run_id)
        folder.create()
        folder.mark_latest()
    assert str((tmp_path / "latest").readlink()) == "run-2"


@pytest.mark.parametrize(
    "run_id", ["", ".", "..", "a/b", "../x", "latest", "-x", ".hidden", "a b", "a\n", "x" * 64, "ä", "a\x00"]
)
def test_a_run_id_that_is_no_safe_name(run_id: str, tmp_path: pathlib.Path) -> None:
    with pytest.raises(ScanError) as caught:
        RunFolder(str(tmp_path), run_id)
    assert caught.value.reason == "bad_option"


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".x", "summary.json", "A.md"])
def test_a_report_name_that_is_not_safe(name: str) -> None:
    with pytest.raises(ValueError, match="is not a file name for a report"):
        Report("x", name, lambda run, stream: None)


def test_names_as_kubernetes_allows_them_stay_readable() -> None:
    assert hdf_file_name(identity(pod="api-7d9f.x", container="app")) == "demo_shop_api-7d9f.x_app.json"


HOSTILE = [
    "../../etc/passwd",
    "..",
    ".",
    "",
    "a/b",
    "a\\b",
    "a\nb",
    "a\x00b",
    "-rf",
    ".hidden",
    "a_b",
    "UPPER",
    "ünï",
    "x" * 300,
    "\ud800",
    "a b",
    "*",
    "$(id)",
    "`id`",
    "con\x1b[2J",
    "a~b",
    "a-",
    "a.",
]


def test_hostile_names_make_safe_file_names_that_differ() -> None:
    names = set()
    count = 0
    for field in ("cluster", "namespace", "pod", "container"):
        for value in HOSTILE:
            name = hdf_file_name(identity(**{field: value}))
            assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789._~-"), name
            assert not name.startswith((".", "-"))
            assert len(name) <= 255
            assert name.endswith(".json")
            names.add(name)
            count += 1
    assert len(names) == count
    attack_ends_as("H-03-file-names", outcome="safe names that differ")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (identity(namespace="a_b", pod="c"), identity(namespace="a", pod="b_c")),
        (identity(namespace="a", pod="b"), identity(namespace="A", pod="b")),
        (identity(pod="p" * 300), identity(pod="p" * 299 + "q")),
        (identity(pod="p" * 250, container="one"), identity(pod="p" * 250, container="two")),
        (identity(pod="a b"), identity(pod="a-b")),
        (identity(pod="a b"), identity(pod="a\tb")),
    ],
)
def test_names_that_look_alike_do_not_collide(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert hdf_file_name(one).lower() != hdf_file_name(other).lower()
    assert hdf_file_name(one) == hdf_file_name(dict(one)), "the name is stable"


def test_a_hostile_document_becomes_valid_json_in_utf_8(tmp_path: pathlib.Path) -> None:
    folder = RunFolder(str(tmp_path), "run-1")
    folder.create()
    byte = b"\xff".decode("utf-8", "surrogateescape")
    document = dict(DOCUMENT, own={"lone": "\ud800", "text": "ä\x1b", "byte": byte})
    data = (folder.path / folder.write_hdf(document, TARGET.identity())[0]).read_bytes()
    assert json.loads(data.decode("utf-8")) == document
    assert b"\x1b" not in data


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: pathlib.Path) -> None:
    folder = RunFolder(str(tmp_path), "run-1")
    folder.create()
    write_text(folder, "old")
    previous = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, previous[1]))
    try:
        with pytest.raises(ScanError) as caught:
            write_text(folder, "new" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, previous)
        signal.signal(signal.SIGXFSZ, handler)
    assert caught.value.reason == "write_failed"
    assert "summary.md" in caught.value.message
    assert (folder.path / SUMMARY_MARKDOWN).read_text() == "old"
    assert sorted(path.name for path in folder.path.iterdir()) == ["hdf", "summary.md"]
    attack_ends_as("H-06-full-disk", outcome="write_failed")


def test_a_reader_never_sees_half_a_file(tmp_path: pathlib.Path) -> None:
    folder = RunFolder(str(tmp_path), "run-1")
    folder.create()
    texts = [letter * 200_000 for letter in "ab"]
    path = write_text(folder, texts[0])
    done = threading.Event()

    def write() -> None:
        for index in range(100):
            write_text(folder, texts[index % 2])
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    reads = 0
    while not done.is_set() or not reads:
        assert path.read_text() in texts
        reads += 1
    writer.join()


def test_a_folder_that_cannot_be_made(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("")
    folder = RunFolder(str(tmp_path / "file"), "run-1")
    for attempt in (folder.create, folder.mark_latest, lambda: folder.write_summary(RUN)):
        with pytest.raises(ScanError) as caught:
            attempt()
        assert caught.value.reason == "write_failed"


def write_run(tmp_path: pathlib.Path) -> RunFolder:
    folder = RunFolder(str(tmp_path), "run-1")
    folder.create()
    hdf, sha256 = folder.write_hdf(DOCUMENT, TARGET.identity())
    folder.write_summary(replace(RUN, targets=(replace(RUN.targets[0], hdf=hdf, hdf_sha256=sha256),)))
    return folder


def test_a_run_is_read_back(tmp_path: pathlib.Path) -> None:
    folder = write_run(tmp_path)
    run = open_run(str(folder.path))
    assert run.run_id == "run-1"
    for _time in range(2):
        assert list(run.documents()) == [(str(folder.path / "hdf" / "demo_shop_api-1_app.json"), DOCUMENT)]


def test_a_run_with_something_missing_or_exchanged_is_refused(tmp_path: pathlib.Path) -> None:
    folder = write_run(tmp_path)
    path = folder.path / "hdf" / "demo_shop_api-1_app.json"
    for data, message in (
        (path.read_bytes().replace(b'"passed"', b'"failed"'), "its SHA-256 differs"),
        (path.read_bytes()[:-20], "its SHA-256 differs"),
        (None, "cannot be read"),
    ):
        if data is None:
            path.unlink()
        else:
            path.write_bytes(data)
        with pytest.raises(ScanError, match=message) as caught:
            list(open_run(str(folder.path)).documents())
        assert caught.value.reason == "bad_results"


def test_a_run_of_an_older_version_has_no_digests_but_is_looked_at_all_the_same(
    tmp_path: pathlib.Path,
) -> None:
    folder = write_run(tmp_path)
    path = folder.path / "hdf" / "demo_shop_api-1_app.json"
    older = json.loads((folder.path / "summary.json").read_text())
    older["targets"][0]["hdf_sha256"] = ""
    (folder.path / "summary.json").write_text(json.dumps(older))
    other = make_document(make_target("api-2"), make_control("c-1", "passed"))
    for data, message in (
        (json.dumps(other).encode(), "is not about demo/shop/Deployment/api/api-1/app"),
        (path.read_bytes()[:-20], "cut off"),
    ):
        path.write_bytes(data)
        with pytest.raises(ScanError, match=message):
            list(open_run(str(folder.path)).documents())
    without = make_document(TARGET, make_control("c-1", "passed"), profile="another")
    path.write_text(json.dumps(without))
    with pytest.raises(ScanError, match="lacks the profile baseline"):
        list(open_run(str(folder.path)).documents())
    (folder.path / "summary.json").unlink()
    with pytest.raises(ScanError, match=r"summary\.json: cannot be read"):
        open_run(str(folder.path))
