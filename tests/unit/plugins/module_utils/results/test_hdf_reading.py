# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import copy
import json
import pathlib
from typing import Any, Callable

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results import hdf
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.hdf import (
    read_hdf,
    read_hdf_file,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.producer import PASSTHROUGH
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_document,
    make_target,
)

WHOLE = make_document(make_target(), make_control("c-1", "passed"), make_control("c-2", "failed"))
DATA = json.dumps(WHOLE).encode()


def refusal(data: bytes) -> str:
    with pytest.raises(ScanError) as caught:
        read_hdf(data, "some/file.json")
    assert caught.value.reason == "bad_results"
    assert caught.value.message.startswith("some/file.json: ")
    return caught.value.message


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "is empty"),
        (b" \n\t", "is empty"),
        (b"nothing", "is not JSON"),
        (b"\xff\xfe{}", "is not JSON"),
        (b"\xef\xbb\xbf" + DATA, "is not JSON"),
        (DATA + b"{}", "is not JSON"),
        (DATA.replace(b'"duration": 0.25', b'"duration": NaN', 1), "NaN is not a JSON number"),
        (b"[" * 200_000, "is not JSON"),
        (b"[]", "must be an object"),
        (b"null", "must be an object"),
        (b"{}", "lacks platform"),
    ],
)
def test_what_is_not_a_document(data: bytes, word: str) -> None:
    assert word in refusal(data)


@pytest.mark.parametrize("length", range(1, len(DATA), 37))
def test_a_document_that_is_cut_off(length: int) -> None:
    assert "cut off" in refusal(DATA[:length])


def test_a_document_above_the_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setattr(hdf, "MAX_DOCUMENT_BYTES", len(DATA))
    path = tmp_path / "x.json"
    path.write_bytes(DATA)
    assert read_hdf_file(str(path)) == WHOLE
    path.write_bytes(DATA + b" ")
    with pytest.raises(ScanError, match=f"has more than {len(DATA)} bytes"):
        read_hdf_file(str(path))


def test_a_file_that_is_missing_or_a_folder(tmp_path: pathlib.Path) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(ScanError, match="cannot be read") as caught:
            read_hdf_file(str(path))
        assert caught.value.reason == "bad_results"
        assert str(path) in caught.value.message


def set_at(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        place: Any = document
        *parents, last = path.split(".")
        for name in parents:
            place = place[int(name)] if name.isdigit() else place[name]
        if value is REMOVED:
            del place[last]
        elif last.isdigit():
            place[int(last)] = value
        else:
            place[last] = value

    return change


REMOVED = object()
CONTROL = "profiles.0.controls.0"
RESULT = CONTROL + ".results.0"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("platform", REMOVED, "the document lacks platform"),
        ("platform.release", None, "platform.release must be text, found nothing"),
        ("version", 5, "the document.version must be text, found a number"),
        ("statistics", [], "the document.statistics must be an object, found a list"),
        ("statistics.duration", "1", "statistics.duration must be a number, found text"),
        ("statistics.controls.failed", {}, "statistics.controls.failed lacks total"),
        ("profiles", [], "profiles is empty: nothing was judged"),
        ("profiles", {}, "the document.profiles must be a list"),
        ("profiles.0", "p", "profiles[0] must be an object, found text"),
        ("profiles.0.sha256", REMOVED, "profiles[0] lacks sha256"),
        ("profiles.0.controls", [], "profiles[0] (baseline) has no controls: nothing was judged"),
        ("profiles.0.controls", None, "profiles[0].controls must be a list"),
        ("profiles.0.status", "failed", "profiles[0] (baseline) was not loaded but failed: no reason given"),
        ("profiles.0.status", "SKIPPED", "was not loaded but SKIPPED"),
        ("profiles.0.groups.0.controls.0", 1, "profiles[0].groups[0].controls[0] must be text"),
        ("profiles.0.supports", [{"platform": 1}], "profiles[0].supports[0].platform must be text"),
        (CONTROL + ".id", REMOVED, "profiles[0].controls[0] lacks id"),
        (CONTROL + ".id", "c-2", "profiles[0].controls[1]: the id c-2 stands twice in profile baseline"),
        (CONTROL + ".impact", "0.5", "profiles[0].controls[0].impact must be a number, found text"),
        (CONTROL + ".impact", True, "impact must be a number, found true or false"),
        (CONTROL + ".impact", 7, "profiles[0].controls[0] (c-1).impact must be from 0 to 1, found 7"),
        (CONTROL + ".impact", -0.1, "must be from 0 to 1"),
        (CONTROL + ".source_location", None, "source_location must be an object, found nothing"),
        (CONTROL + ".tags", [], "tags must be an object"),
        (CONTROL + ".tags", {"severity": 1}, "tags.severity must be text, found a number"),
        (CONTROL + ".tags", {"nist": [1]}, "tags.nist[0] must be text"),
        (CONTROL + ".refs", [{"url": None}], "refs[0].url must be text, found nothing"),
        (CONTROL + ".descriptions", [{"label": "fix"}], "descriptions[0] lacks data"),
        (
            CONTROL + ".waiver_data",
            {"skipped_due_to_waiver": 1},
            "waiver_data.skipped_due_to_waiver must be true, false",
        ),
        (CONTROL + ".waiver_data", {"run": "no"}, "waiver_data.run must be true or false"),
        (CONTROL + ".attestation_data", {}, "attestation_data lacks control_id"),
        (CONTROL + ".results", None, "results must be a list"),
        (CONTROL + ".results", [None], "results[0] must be an object, found nothing"),
        (
            RESULT + ".status",
            "not_applicable",
            "results[0].status must be one of passed, failed, skipped, error",
        ),
        (RESULT + ".code_desc", REMOVED, "results[0] lacks code_desc"),
        (RESULT + ".start_time", 1, "results[0].start_time must be text"),
        (RESULT + ".backtrace", "text", "results[0].backtrace must be a list"),
        (RESULT + ".backtrace", [1], "results[0].backtrace[0] must be text"),
        ("passthrough." + PASSTHROUGH, [], "is not of schema version 1"),
        (f"passthrough.{PASSTHROUGH}.schema_version", 2, "is not of schema version 1"),
        (f"passthrough.{PASSTHROUGH}.target", {}, "target.target_id is missing"),
        (f"passthrough.{PASSTHROUGH}.target.target_id", "", "target.target_id is missing"),
    ],
)
def test_one_thing_wrong(path: str, value: Any, message: str) -> None:
    document = copy.deepcopy(WHOLE)
    set_at(path, value)(document)
    assert message in refusal(json.dumps(document).encode())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("statistics", {}),
        ("profiles.0.status", REMOVED),
        ("profiles.0.status", None),
        ("profiles.0.title", None),
        ("profiles.0.parent_profile", None),
        (CONTROL + ".desc", None),
        (CONTROL + ".waiver_data", None),
        (CONTROL + ".results", []),
        (RESULT + ".status", REMOVED),
        (RESULT + ".status", None),
        (RESULT + ".run_time", None),
        ("passthrough", REMOVED),
        ("passthrough", {"of_others": [1]}),
        ("some_own_key", {"a": 1}),
    ],
)
def test_what_readers_of_hdf_accept_is_accepted(path: str, value: Any) -> None:
    document = copy.deepcopy(WHOLE)
    set_at(path, value)(document)
    assert read_hdf(json.dumps(document).encode(), "x.json") == document


def test_hostile_names_in_a_refusal_are_harmless() -> None:
    document = copy.deepcopy(WHOLE)
    set_at(CONTROL + ".id", "\x1b[2J" + "x" * 10_000)(document)
    set_at(CONTROL + ".impact", 9)(document)
    message = refusal(json.dumps(document).encode())
    assert "\x1b" not in message
    assert len(message) < 600
