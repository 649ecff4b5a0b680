# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import copy
import json
import pathlib
from typing import Any

import jsonschema
import pytest
import yaml
from ansible_collections.securescan.kubernetes.plugins.module_utils.results import producer
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.evidence import Evidence
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.hdf import (
    EVIDENCE_TAG,
    document_target_id,
    hdf_document,
    manual_controls,
    read_hdf,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.model import Segment
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.producer import PASSTHROUGH
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.summary import summarize
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    START,
    make_control,
    make_document,
    make_judgement,
    make_profile,
    make_target,
)

TARGET = make_target()
TEXT = {"type": "string"}


def an_object(required: dict[str, Any], closed: bool = False) -> dict[str, Any]:
    return {
        "type": "object",
        "required": sorted(required),
        "properties": required,
        "additionalProperties": not closed,
    }


def a_list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


# What InSpec's schema of exec-json demands; it allows fewer statuses than its readers do.
RESULT = an_object(
    {
        "code_desc": TEXT,
        "run_time": {"type": "number"},
        "start_time": TEXT,
        "status": {"enum": ["passed", "failed", "skipped"]},
    }
)
RESULT["properties"].update(
    message=TEXT, skip_message=TEXT, exception=TEXT, resource_id=TEXT, backtrace=a_list(TEXT)
)
CONTROL = an_object(
    {
        "id": TEXT,
        "title": TEXT,
        "desc": TEXT,
        "impact": {"type": "number", "minimum": 0, "maximum": 1},
        "refs": a_list({"anyOf": [an_object({name: TEXT}) for name in ("ref", "url", "uri")]}),
        "tags": {"type": "object"},
        "code": TEXT,
        "source_location": an_object({"ref": TEXT, "line": {"type": "number"}}, closed=True),
        "results": a_list(RESULT),
        "descriptions": a_list(an_object({"label": TEXT, "data": TEXT})),
    }
)
PROFILE = an_object(
    {
        "name": TEXT,
        "sha256": TEXT,
        "supports": a_list(an_object({"platform-family": TEXT})),
        "attributes": a_list({"type": "object"}),
        "controls": a_list(CONTROL),
        "title": TEXT,
        "version": TEXT,
        "maintainer": TEXT,
        "summary": TEXT,
        "license": TEXT,
        "copyright": TEXT,
        "copyright_email": TEXT,
        "status": TEXT,
        "groups": a_list(an_object({"id": TEXT, "title": TEXT, "controls": a_list(TEXT)}, closed=True)),
    }
)
TOTAL = an_object({"total": {"type": "number"}}, closed=True)
SCHEMA = an_object(
    {
        "platform": an_object({"name": TEXT, "release": TEXT, "target_id": TEXT}, closed=True),
        "version": TEXT,
        "profiles": a_list(PROFILE),
        "statistics": an_object(
            {
                "duration": {"type": "number"},
                "controls": an_object({"passed": TOTAL, "skipped": TOTAL, "failed": TOTAL}, closed=True),
            },
            closed=True,
        ),
    }
)


def rich_document() -> dict[str, Any]:
    return hdf_document(
        make_judgement(
            TARGET,
            make_profile(
                "baseline",
                make_control(
                    "c-1",
                    "passed",
                    "failed",
                    descriptions={"fix": "chmod", "check": "stat"},
                    code="c-1: ...",
                    tags={"nist": ["AC-3"], "severity": "high"},
                    refs=[{"ref": "a", "url": "https://example.com"}],
                ),
                make_control("c-2", "error", source_file="other.yml"),
                make_control(
                    "c-3", "skipped", waiver_data={"justification": "x", "skipped_due_to_waiver": True}
                ),
                make_control("c-4", "passed", impact=0),
                make_control("c-5", "skipped"),
                supports=[{"platform-family": "linux"}],
                maintainer="us",
                license="GPL-3.0-or-later",
            ),
        )
    )


def test_document_meets_the_schema_of_inspec_and_is_read_back() -> None:
    document = rich_document()
    jsonschema.validate(document, SCHEMA)
    assert read_hdf(json.dumps(document).encode(), "x.json") == document


def test_each_control_is_tagged_with_the_grade_of_evidence_and_a_profile_has_no_say_in_it() -> None:
    claimed = make_control("c-1", "passed", tags={"nist": ["AC-6"], EVIDENCE_TAG: "image"})
    judgement = make_judgement(TARGET, make_profile("baseline", claimed))
    judgement.method["evidence"] = Evidence("target", ("Why.",)).to_json()
    document = hdf_document(judgement)
    assert document["profiles"][0]["controls"][0]["tags"] == {"nist": ["AC-6"], EVIDENCE_TAG: "target"}
    assert document["passthrough"][PASSTHROUGH]["scan"]["evidence"] == {
        "grade": "target",
        "reasons": ["Why."],
    }
    assert claimed.tags[EVIDENCE_TAG] == "image", "the judgement is not changed"


def test_identity_method_and_version() -> None:
    judgement = make_judgement(TARGET, make_profile("baseline", make_control("c-1", "passed")))
    judgement.method["unread"] = [{"fact": "shadow", "status": "unreadable", "cause": "permission denied"}]
    document = hdf_document(judgement)
    own = document["passthrough"][PASSTHROUGH]
    assert own["schema_version"] == 1
    assert own["target"] == TARGET.identity()
    assert own["scan"] == {
        "run_id": "run-1",
        "approach": "exec",
        "collector_version": "1",
        "started": START,
        "duration": 0.25,
    }
    assert own["unread_facts"] == [{"fact": "shadow", "status": "unreadable", "cause": "permission denied"}]
    assert own["platform"] == {"name": "debian", "family": "debian", "release": "12.5", "arch": "x86_64"}
    assert own["collection"] == {"name": "securescan.kubernetes", "version": producer.VERSION}
    assert own["error"] is None
    assert document["version"] == producer.VERSION
    assert document["platform"] == {"name": "debian", "release": "12.5", "target_id": TARGET.target_id}
    assert document_target_id(document, "x.json") == TARGET.target_id
    assert judgement.method["unread"], "the judgement itself is left as it was"


def test_version_is_that_of_the_collection() -> None:
    galaxy = pathlib.Path(producer.__file__).parents[3] / "galaxy.yml"
    content = yaml.safe_load(galaxy.read_text(encoding="utf-8"))
    assert (content["version"], "{}.{}".format(content["namespace"], content["name"])) == (
        producer.VERSION,
        producer.COLLECTION,
    )


def test_statistics_and_statuses() -> None:
    document = rich_document()
    statuses = {control.id: control.status for control in summarize(document).profiles[0].controls}
    assert statuses == {
        "c-1": "failed",
        "c-2": "profile_error",
        "c-3": "not_applicable",
        "c-4": "not_applicable",
        "c-5": "not_reviewed",
    }
    assert document["statistics"] == {
        "duration": 0.25,
        "controls": {"passed": {"total": 0}, "skipped": {"total": 3}, "failed": {"total": 2}},
    }


def test_an_error_is_written_as_inspec_writes_it() -> None:
    result = rich_document()["profiles"][0]["controls"][1]["results"][0]
    assert result["status"] == "failed"
    assert result["backtrace"] == ["other.yml:7"]
    assert result["exception"]
    assert result["message"] == "expected 0644, found 0777"


def test_groups_follow_the_source_files() -> None:
    groups = rich_document()["profiles"][0]["groups"]
    assert [(group["id"], group["controls"]) for group in groups] == [
        ("controls.yml", ["c-1", "c-3", "c-4", "c-5"]),
        ("other.yml", ["c-2"]),
    ]


def test_descriptions_begin_with_the_default_one() -> None:
    labels = [entry["label"] for entry in rich_document()["profiles"][0]["controls"][0]["descriptions"]]
    assert labels == ["default", "fix", "check"]


def test_values_of_sensitive_inputs_are_not_written() -> None:
    attributes = [
        {"name": "password", "options": {"type": "String", "sensitive": True, "value": "hunter2"}},
        {"name": "port", "options": {"value": 22}},
    ]
    profile = make_profile("baseline", make_control("c-1", "passed"), attributes=attributes)
    document = hdf_document(make_judgement(TARGET, profile))
    assert "hunter2" not in json.dumps(document)
    assert document["profiles"][0]["attributes"][0]["options"]["sensitive"] is True
    assert document["profiles"][0]["attributes"][1] == attributes[1]
    assert attributes[0]["options"]["value"] == "hunter2", "the profile itself is left as it was"


def test_text_from_the_container_is_printable_and_bounded() -> None:
    hostile = b"\x1b[2J\x00caf\xe9".decode("utf-8", "surrogateescape") + "x" * 50_000
    control = make_control("c-1")
    control.results = [
        Segment("failed", hostile, START, message=hostile, skip_message=hostile, resource_id=hostile)
    ]
    judgement = make_judgement(TARGET, make_profile("baseline", control))
    judgement.method["unread"] = [{"fact": hostile, "status": "unreadable", "cause": hostile}]
    judgement.identity["image"] = hostile
    document = hdf_document(judgement)
    text = json.dumps(document, ensure_ascii=False)
    text.encode("utf-8")
    for escape in ("\\u001b", "\\u0000", "\x1b"):
        assert escape not in text
    assert len(text) < 200_000
    assert "40009 more characters" in document["profiles"][0]["controls"][0]["results"][0]["message"]


def test_a_document_of_a_scan_that_failed_is_not_accepted_back() -> None:
    document = make_document(TARGET, make_control("c-1", "passed"))
    document["passthrough"][PASSTHROUGH]["error"] = {"reason": "timed_out", "message": "no answer"}
    with pytest.raises(Exception, match=r"shop/Deployment/api/api-1/app ended with an error.*timed_out"):
        read_hdf(json.dumps(document).encode(), "x.json")


def test_documents_of_others_are_known_by_their_target_id_or_source() -> None:
    document = make_document(TARGET, make_control("c-1", "passed"))
    other = copy.deepcopy(document)
    del other["passthrough"]
    assert document_target_id(other, "x.json") == TARGET.target_id
    for kept_by_others in ([1], "text", {"of_others": 1}, {}, None, 0):
        assert document_target_id(dict(other, passthrough=kept_by_others), "x.json") == TARGET.target_id
    del other["platform"]["target_id"]
    assert document_target_id(other, "x.json") == "x.json"


def test_manual_controls_are_told_by_profile_and_read_back() -> None:
    judgement = make_judgement(
        make_target(),
        make_profile("one", make_control("a", "skipped", manual=True), make_control("b", "skipped")),
        make_profile("two", make_control("a", "skipped"), make_control("c", "passed")),
    )
    document = read_hdf(json.dumps(hdf_document(judgement)).encode(), "x.json")
    assert document["passthrough"]["securescan_kubernetes"]["manual_controls"] == {"one": ["a"]}
    assert manual_controls(document, "x.json") == {"one": ("a",)}
    unread = [(profile.name, profile.unread()) for profile in summarize(document).profiles]
    assert unread == [("one", ["b"]), ("two", ["a"])]
    del document["passthrough"]
    assert manual_controls(document, "x.json") == {}, "of others nobody knows"
