# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run kept is judged again: the same verdicts by the same profile, and never a pass by what was not kept."""

from __future__ import annotations

import hashlib
import json
import pathlib
import stat
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import (
    STATUSES,
    Fact,
    Facts,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.engines.engine import Subject
from ansible_collections.securescan.kubernetes.plugins.module_utils.engines.registry import engines_for
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.kept.kept_target import (
    keep_target,
    read_kept_target,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.profiles.loader import load_profile
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.amendments import NO_AMENDMENTS
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.evidence import Evidence
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.hdf import hdf_document
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.model import Judgement
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import (
    ProfileReference,
    open_run,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run_folder import RunFolder
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run_summary_builder import (
    RunSummaryBuilder,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.scanning.scan_target import (
    judge,
    platform_of,
    unread_facts,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.identity import Target
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.pod import PodSnapshot
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.selection import SelectedTarget
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.judgement import run_scan_judgement
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as

PROFILE = """\
name: sample
title: Sample
version: 1.0.0
controls:
  - id: os
    title: The system is known
    impact: medium
    tests: [{os: {}, expect: {name: debian}}]
  - id: mode
    title: The file is not wide open
    impact: high
    tests: [{file: /etc/passwd, expect: {mode: "0644"}}]
  - id: text
    title: A file says so
    impact: low
    tests: [{file: /etc/motd, expect: {content: {matches: welcome}}}]
  - id: secret
    title: A file with a password says so
    impact: low
    tests: [{file: /etc/app.conf, expect: {content: {matches: password}}}]
  - id: unread
    title: Who may log in
    impact: low
    tests: [{file: /etc/hidden, expect: {exist: false}}]
  - id: privileged
    title: Not privileged
    impact: critical
    tests: [{container: {}, expect: {privileged: false}}]
"""
OTHER = """\
name: other
title: Other
version: 1.0.0
controls:
  - id: asked-before
    title: The system is known
    impact: medium
    tests: [{os: {}, expect: {name: debian}}]
  - id: never-asked
    title: Nobody has this file
    impact: medium
    tests: [{file: /etc/never-asked, expect: {exist: false}}]
"""
FILE = {"type": "file", "mode": 0o644, "uid": 0, "gid": 0, "size": 9, "mtime": 1, "link_target": None}
FACTS = {
    "os": Fact("ok", {"name": "debian", "family": "debian", "release": "12.5", "arch": "x86_64"}),
    "file:/etc/passwd": Fact("ok", dict(FILE, mode=0o666)),
    "content:/etc/motd": Fact("ok", b"welcome\xff"),
    "content:/etc/app.conf": Fact("ok", b"password=hunter2"),
    "file:/etc/hidden": Fact("unreadable", cause="no permission"),
}
TARGET = Target(
    cluster="demo",
    namespace="shop",
    workload_kind="Deployment",
    workload="api",
    pod="api-1",
    pod_uid="u",
    container="app",
    image="i",
)
GONE = Target(
    cluster="demo",
    namespace="shop",
    workload_kind="Pod",
    workload="gone",
    pod="gone",
    pod_uid="g",
    container="app",
)
POD = {
    "metadata": {"name": "api-1", "namespace": "shop", "uid": "u"},
    "status": {},
    "spec": {"containers": [{"name": "app", "image": "i", "env": [{"name": "A", "value": "hunter2"}]}]},
}
EVIDENCE = Evidence("beside", ("The target could prepare.",))
SELECTED = SelectedTarget(TARGET, PodSnapshot.from_object(POD))


def load(folder: pathlib.Path, text: str) -> Any:
    file = folder / "profile.yml"
    file.write_text(text)
    return load_profile(str(file), [], {})


@pytest.fixture
def first_run(tmp_path: pathlib.Path) -> pathlib.Path:
    """A run that kept its facts, with one target that was not scanned."""
    profile, facts = (
        load(tmp_path, PROFILE),
        Facts(dict(FACTS), {"version": "1", "shell": "dash", "programs": []}),
    )
    verdicts, _notes = judge(engines_for([profile]), NO_AMENDMENTS, Subject(SELECTED, facts))
    (engine,) = engines_for([profile])
    asked = engine.asked(Subject(SELECTED, facts))
    method = {
        "run_id": "first",
        "approach": "exec",
        "collector_version": "1",
        "evidence": EVIDENCE.to_json(),
        "unread": unread_facts(facts),
    }
    judgement = Judgement(
        TARGET.identity(), method, platform_of(facts), verdicts.results, "2026-01-01T00:00:00.000+00:00", 0.5
    )
    folder = RunFolder(str(tmp_path / "results"), "first")
    folder.create()
    summary = RunSummaryBuilder(
        run_id="first",
        started="2026-01-01T00:00:00.000+00:00",
        cluster="demo",
        selection={},
        collector_version="1",
        profiles=[ProfileReference("sample", "1.0.0", profile.sha256)],
    )
    document = hdf_document(judgement)
    kept = folder.write_facts(
        keep_target(SELECTED, facts, asked, method, judgement.started), judgement.identity
    )
    hdf, sha256 = folder.write_hdf(document, judgement.identity)
    summary.add_scanned(judgement.identity, "exec", 0.5, document, hdf, hdf_sha256=sha256, facts=kept)
    summary.add_not_scanned(GONE.identity(), "exec", 0.1, ScanError("pod_gone", "gone").record())
    folder.write_summary(summary.finish("2026-01-01T00:00:01.000+00:00", 1.0))
    return folder.path


def judge_again(
    run: pathlib.Path, text: str = PROFILE, check_mode: bool = False, **params: Any
) -> dict[str, Any]:
    profile = load(run.parent.parent, text)
    given = dict(
        dict.fromkeys(("waivers", "attestations", "exception_policy", "summary_sha256")),
        allow_shared_folder=False,
        **{
            "run_dir": str(run),
            "output_dir": str(run.parent / "again"),
            "compiled_profiles": [profile.as_dict()],
            **params,
        },
    )
    context = TaskContext(check_mode=check_mode, environ={})
    return dict(run_scan_judgement(given, context), warnings=context.warnings)


def verdicts(run_dir: Any) -> dict[str, Any]:
    run = open_run(str(run_dir))
    assert run.target_counts.to_json() == {
        "selected": 2,
        "scanned": 1,
        "not_scanned": 1,
        "not_judged": 0,
        "carried": 0,
    }
    ((_path, document),) = run.documents()
    return {
        control["id"]: [
            (result["status"], result.get("message"), result.get("skip_message"))
            for result in control["results"]
        ]
        for control in document["profiles"][0]["controls"]
    }


def test_the_same_profile_gives_the_same_verdicts_messages_included(first_run: pathlib.Path) -> None:
    result = judge_again(first_run)
    before, after = verdicts(first_run), verdicts(result["run_dir"])
    assert [statuses[0][0] for statuses in before.values()] == [
        "passed",
        "failed",
        "passed",
        "passed",
        "skipped",
        "passed",
    ]
    assert after == before


def test_what_was_not_asked_for_then_is_not_reviewed(first_run: pathlib.Path) -> None:
    after = verdicts(judge_again(first_run, OTHER)["run_dir"])
    assert after["asked-before"][0][0] == "passed"
    assert after["never-asked"] == [
        ("skipped", None, "file:/etc/never-asked is not known: this fact was not collected.")
    ]


def test_results_say_where_they_are_from(first_run: pathlib.Path) -> None:
    result = judge_again(first_run)
    assert (result["counts"], result["changed"]) == (
        {"selected": 2, "scanned": 1, "not_scanned": 1, "not_judged": 0, "carried": 0},
        False,
    )
    assert result["not_scanned"][0]["error"]["reason"] == "pod_gone"
    run = open_run(result["run_dir"])
    summary, ((_path, document),) = run.to_json(), run.documents()
    assert summary["judged_from"] == {"run_id": "first", "started": "2026-01-01T00:00:00.000+00:00"}
    assert summary["run_id"] == result["run_id"] != "first"
    scan = document["passthrough"]["securescan_kubernetes"]["scan"]
    first = json.loads((first_run / "summary.json").read_text())
    assert scan["started"] == "2026-01-01T00:00:00.000+00:00", "evidence is as old as it is"
    assert (scan["approach"], scan["run_id"], scan["judged_from"]["run_id"]) == (
        "exec",
        result["run_id"],
        "first",
    )
    assert scan["judged_from"]["facts_sha256"] == first["targets"][0]["facts"]["sha256"]
    assert document["passthrough"]["securescan_kubernetes"]["target"] == TARGET.identity()
    assert document["platform"]["name"] == "debian"
    assert [target["error"] and target["error"]["reason"] for target in summary["targets"]] == [
        None,
        "pod_gone",
    ]


def test_what_was_kept_rests_on_the_evidence_of_then(first_run: pathlib.Path) -> None:
    run = open_run(judge_again(first_run)["run_dir"])
    assert [target.evidence for target in run.targets] == [EVIDENCE, None]


def test_waivers_and_attestations_count_again(first_run: pathlib.Path) -> None:
    entry = {
        "control_id": "unread",
        "explanation": "e",
        "frequency": "1y",
        "status": "failed",
        "updated": "2020-01-01",
        "updated_by": "me",
    }
    result = judge_again(
        first_run, waivers={"mode": {"justification": "j", "run": False}}, attestations=[entry]
    )
    summary = open_run(result["run_dir"]).to_json()
    assert summary["controls"]["not_applicable"]["total"] == 1
    assert [note["kind"] for note in summary["attestation_notes"]] == ["expired"]
    assert result["warnings"] == [
        "unread: the attestation of 2020-01-01 by me expired on 2021-01-01 and counts for nothing"
    ]


def test_nothing_secret_is_kept_and_only_the_owner_may_read_it(first_run: pathlib.Path) -> None:
    (path,) = (first_run / "facts").iterdir()
    assert path.name == "demo_shop_api-1_app.json"
    assert (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode)) == (0o600, 0o700)
    assert "hunter2" not in path.read_text() and b"hunter2".hex() not in path.read_text()
    assert "cGFzc3dvcmQ" not in path.read_text(), "base64 of password"
    assert "d2VsY29tZ" not in path.read_text(), "base64 of welcome: contents are not kept, whatever they are"


def test_the_file_has_the_form_of_its_schema(first_run: pathlib.Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((pathlib.Path(__file__).parents[5] / "docs" / "kept-facts.schema.json").read_text())
    (path,) = (first_run / "facts").iterdir()
    kept = json.loads(path.read_text())
    jsonschema.Draft202012Validator(schema).validate(kept)
    assert schema["$defs"]["fact"]["properties"]["status"]["enum"] == list(STATUSES)
    assert set(schema["properties"]["target"]["required"]) == set(TARGET.identity())
    for broken in (
        dict(kept, facts={"os": {"status": "ok", "value": None, "cause": ""}}),
        dict(kept, pod={}),
    ):
        assert not jsonschema.Draft202012Validator(schema).is_valid(broken)


def test_check_mode_judges_and_writes_nothing(first_run: pathlib.Path) -> None:
    result = judge_again(first_run, check_mode=True)
    assert result["counts"]["scanned"] == 1
    assert "run_dir" not in result
    assert not (first_run.parent / "again").exists()


def alter(path: pathlib.Path, run: pathlib.Path, rehash: bool = True, **changes: Any) -> None:
    """Changes what was kept, and what the summary says of it."""
    kept = dict(json.loads(path.read_text()), **changes)
    path.write_text(json.dumps(kept))
    if rehash:
        alter_summary(path, run)


def alter_summary(path: pathlib.Path, run: pathlib.Path) -> None:
    """What the summary says of a target's kept facts becomes true."""
    summary = json.loads((run / "summary.json").read_text())
    summary["targets"][0]["facts"]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (run / "summary.json").write_text(json.dumps(summary))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (None, "cannot be read"),
        ({"rehash": False, "collected": "x"}, "its SHA-256 differs"),
        ({"schema_version": 3}, "is not of the format of kept facts, version 1 or 2"),
        ({"answers": []}, "answers must be an object"),
        ({"schema": "x"}, "is not of the format"),
        ({"facts": []}, "facts must be an object"),
        ({"facts": {"os": {}}}, "the fact os must have status"),
        ({"pod": {}}, "is not a pod of the namespace"),
        ({"method": {}}, "method must hold the approach"),
        ({"collected": 1}, "collected must be text"),
        ({"target": {}}, "target must hold the texts cluster"),
        ({"target": GONE.identity()}, "is about demo/shop/Pod/gone/gone/app"),
    ],
)
def test_what_was_altered_is_not_judged(
    first_run: pathlib.Path, changes: dict[str, Any] | None, message: str
) -> None:
    (path,) = (first_run / "facts").iterdir()
    if changes is None:
        path.unlink()
    else:
        alter(path, first_run, **changes)
    result = judge_again(first_run)
    assert result["counts"] == {"selected": 2, "scanned": 0, "not_scanned": 2, "not_judged": 0, "carried": 0}
    (error,) = [one["error"] for one in result["not_scanned"] if one["target_id"] == TARGET.target_id]
    assert error["reason"] == "bad_facts"
    assert message in error["message"]


def test_a_key_that_stands_twice_in_kept_facts_is_not_judged(first_run: pathlib.Path) -> None:
    (path,) = (first_run / "facts").iterdir()
    path.write_bytes(path.read_bytes().replace(b'{"schema"', b'{"collected": "2999", "schema"', 1))
    alter_summary(path, first_run)
    (error,) = [
        one["error"] for one in judge_again(first_run)["not_scanned"] if one["target_id"] == TARGET.target_id
    ]
    assert error["reason"] == "bad_facts" and "stands twice in one object" in error["message"]
    attack_ends_as("27-key-twice-in-kept-facts", outcome="bad_facts")


def test_only_the_run_that_was_named_by_its_digest_is_judged(first_run: pathlib.Path) -> None:
    digest = hashlib.sha256((first_run / "summary.json").read_bytes()).hexdigest()
    result = judge_again(first_run, summary_sha256=digest)
    assert result["counts"]["scanned"] == 1
    assert open_run(result["run_dir"]).sha256 == result["summary_sha256"]
    with pytest.raises(ScanError, match="is not the one that was named") as caught:
        judge_again(first_run, summary_sha256="0" * 64)
    assert caught.value.reason == "bad_results"


def test_a_file_of_version_1_is_judged_by_its_facts_as_a_whole(first_run: pathlib.Path) -> None:
    """As earlier releases wrote it: without answers, with contents."""
    (path,) = (first_run / "facts").iterdir()
    facts = json.loads(path.read_text())["facts"]
    content = {"status": "ok", "value": {"base64": "d2VsY29tZQ=="}, "cause": ""}
    secret = {"status": "unreached", "value": None, "cause": "it was not kept: it may hold a secret (x)"}
    facts.update({"content:/etc/motd": content, "content:/etc/app.conf": secret})
    kept = {name: value for name, value in json.loads(path.read_text()).items() if name != "answers"}
    path.write_text(json.dumps(kept))
    alter(path, first_run, facts=facts, schema_version=1)
    after = verdicts(judge_again(first_run)["run_dir"])
    assert after["text"][0][0] == "passed"
    assert after["secret"][0] == (
        "skipped",
        None,
        "content:/etc/app.conf is not known: it was not kept: it may hold a secret (x).",
    )


def test_a_run_that_kept_nothing_is_refused(first_run: pathlib.Path) -> None:
    summary = json.loads((first_run / "summary.json").read_text())
    summary["targets"][0]["facts"] = None
    (first_run / "summary.json").write_text(json.dumps(summary))
    with pytest.raises(ScanError, match="the run first kept no facts"):
        judge_again(first_run)
    (first_run / "summary.json").unlink()
    with pytest.raises(ScanError) as caught:
        judge_again(first_run)
    assert caught.value.reason == "bad_results"


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_what_is_no_file_of_kept_facts(data: bytes) -> None:
    with pytest.raises(ScanError) as caught:
        read_kept_target(data, "x.json")
    assert caught.value.reason == "bad_facts"
