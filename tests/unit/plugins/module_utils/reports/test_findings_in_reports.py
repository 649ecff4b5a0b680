# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the reports take from the files of a run: evidence, fixes, waivers and attestations in force, drift."""

from __future__ import annotations

import datetime
import hashlib
import json
import pathlib
import re
import tracemalloc
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports import junit, markdown
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.page_data import PageData
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.page_source import PageSource
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.amendments import Amendments
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.attestations import (
    load_attestations,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.comparison import failures_of_run
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.gate import decide
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.hdf import hdf_document
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.model import Segment
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run, open_run
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.target_record import (
    DriftReference,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.threshold import DEFAULT_THRESHOLD
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.waivers import load_waivers
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    START,
    make_control,
    make_document,
    make_judgement,
    make_profile,
    make_target,
    rendered,
    write_run,
)

NOW = datetime.datetime(2026, 11, 23, 10, 0, tzinfo=datetime.timezone.utc)
FIX = {"fix": "Remove the account in the image's build."}


def failing(control_id: str, *found: str, **fields: Any) -> Any:
    control = make_control(control_id, "failed", **{"impact": 1.0, **fields})
    control.results = [
        Segment("failed", "A test", START, message=f"expected none, found {one}") for one in found
    ]
    return control


def amended(target: Any, waivers: Any = None, attestations: Any = None, *controls: Any) -> dict[str, Any]:
    profile = make_profile("baseline", *controls)
    Amendments(
        load_waivers(waivers, "w.yml") if waivers else None,
        load_attestations(attestations, "a.yml") if attestations else None,
    ).apply([profile], target.identity(), NOW)
    return hdf_document(make_judgement(target, profile))


def opened(folder: pathlib.Path, *documents: tuple[Any, dict[str, Any]]) -> Run:
    return open_run(str(write_run(folder, "run-1", documents)))


def cells(text: str, first: str) -> list[str]:
    """The cells of the one row that begins so."""
    (row,) = [line for line in text.splitlines() if line.startswith(f"| {first}")]
    return [cell.strip() for cell in row.strip("|").split(" | ")]


def test_a_failed_control_names_its_targets_what_was_found_and_what_to_do(tmp_path: pathlib.Path) -> None:
    toor, twice = make_target("duo-1", "app"), make_target("duo-1", "sidecar")
    run = opened(
        tmp_path,
        (toor, make_document(toor, failing("c-root", "[toor] in /etc/passwd", descriptions=FIX))),
        (twice, make_document(twice, failing("c-root", "a", "b", "c", "d", "e", descriptions=FIX))),
    )
    text = rendered(markdown.REPORT, run)
    assert "**c-root** (critical, baseline): Title of c-root" in text
    assert "- shop/duo-1/app: expected none, found \\[toor\\] in /etc/passwd\n" in text
    assert "found a; expected none, found b; expected none, found c (and 2 more)\n" in text
    assert "What to do: Remove the account in the image's build.\n" in text


def test_replicas_that_failed_alike_are_one_line(tmp_path: pathlib.Path) -> None:
    targets = [make_target(f"api-{index}") for index in range(30)]
    run = opened(tmp_path, *((one, make_document(one, failing("c-1", "x"))) for one in targets))
    assert "- 30 targets of shop/api: expected none, found x\n" in rendered(markdown.REPORT, run)


def test_the_worst_ten_controls_are_explained_and_the_rest_is_named(tmp_path: pathlib.Path) -> None:
    target = make_target()
    low = [failing(f"a-low-{index:02}", "x", impact=0.2) for index in range(8)]
    high = [failing(f"z-high-{index:02}", "x", impact=0.8) for index in range(7)]
    text = rendered(markdown.REPORT, opened(tmp_path, (target, make_document(target, *low, *high))))
    explained = [line for line in text.splitlines() if line.startswith("**") and "-0" in line]
    assert len(explained) == 10 and all("z-high" in line for line in explained[:7])
    assert "\n... and 5 more explained: see the files in hdf/\n" in text


def test_many_places_of_one_control_are_bounded(tmp_path: pathlib.Path) -> None:
    targets = [make_target(f"api-{index}") for index in range(9)]
    run = opened(
        tmp_path,
        *((one, make_document(one, failing("c-1", f"pid {number}"))) for number, one in enumerate(targets)),
    )
    text = rendered(markdown.REPORT, run)
    assert text.count("found pid") == 5 and "- ... and 4 more: see the files in hdf/" in text


def test_waivers_in_force_say_who_what_where_why_and_until_when(tmp_path: pathlib.Path) -> None:
    target = make_target()
    waivers = {
        "c-soon": {"justification": "A | b", "run": False, "owner": "team", "expiration_date": "2026-12-05"},
        "c-later": {"justification": "why", "run": False, "expiration_date": "2027-06-01"},
        "c-judged": {"justification": "known", "run": True, "owner": "team"},
        "c-past": {"justification": "old", "run": False, "expiration_date": "2026-01-01"},
    }
    document = amended(target, waivers, None, *(failing(name, "x") for name in waivers))
    text = rendered(markdown.REPORT, opened(tmp_path, (target, document)))
    assert "| c-soon | shop/api-1/app | A \\| b | team | until 2026-12-05, in 12 days |\n" in text
    assert cells(text, "c-later")[2:] == ["why", "-", "until 2027-06-01"]
    assert cells(text, "c-judged (judged all the same)")[3:] == ["team", "without end"]
    table = text[text.index("## Waivers") :]
    assert table.index("c-soon") < table.index("c-later") < table.index("c-judged")
    assert "| c-past" not in table


APPROVAL = {"approved_by": "se|curity", "approved": "2026-11-04", "ticket": "RISK-17"}
REQUEST = {"requested_by": "ann", "requested": "2026-11-02"}


def test_reports_say_who_approved_until_when_and_the_ticket(tmp_path: pathlib.Path) -> None:
    target = make_target()
    waivers = {
        "c-2": {"justification": "why", "run": False, "expiration_date": "2026-12-01", **REQUEST, **APPROVAL},
        "c-3": {"justification": "asked for", "run": False, **REQUEST},
    }
    entry = {
        "control_id": "c-4",
        "explanation": "seen",
        "frequency": "1y",
        "status": "passed",
        "updated": "2026-11-01",
        "updated_by": "audit",
        **APPROVAL,
    }
    controls = [failing("c-2", "x"), failing("c-3", "y"), make_control("c-4", "skipped", manual=True)]
    run = opened(tmp_path, (target, amended(target, waivers, [entry], *controls)))
    text = rendered(markdown.REPORT, run)
    who = "approved by se\\|curity on 2026-11-04, ticket RISK-17"
    assert cells(text, "c-2")[3:] == [
        f"requested by ann on 2026-11-02, {who}",
        "until 2026-12-01, in 8 days, 19 days old",
    ]
    assert cells(text, "c-4")[4] == f"audit, {who}"
    assert "| c-3 | shop" not in text
    assert cases(run)["c-2"].get("message") == (
        "waived, requested by ann on 2026-11-02, approved by se|curity on 2026-11-04, ticket RISK-17, until 2026-12-01, "
        "in 8 days, 19 days old: why"
    )
    page = page_texts(run)
    assert any("approved by se|curity on 2026-11-04, ticket RISK-17: why" in one for one in page)
    assert any("Attested by audit on 2026-11-01, approved by se|curity" in one for one in page)
    assert any("ann requested it, and nobody has approved it, the control was judged" in one for one in page)


def page_texts(run: Run) -> list[str]:
    texts: list[str] = json.loads("".join(PageData(PageSource.of_run(run)).pieces()))["strings"]
    return texts


def test_attestations_in_force_say_who_how_and_until_when(tmp_path: pathlib.Path) -> None:
    target = make_target()
    entries = [
        {
            "control_id": name,
            "explanation": "seen in the rack",
            "frequency": frequency,
            "status": "passed",
            "updated": "2026-11-01",
            "updated_by": "audit",
        }
        for name, frequency in (("c-yearly", "1y"), ("c-over", "2d"))
    ]
    controls = [make_control(name, "skipped", manual=True) for name in ("c-yearly", "c-over")]
    text = rendered(markdown.REPORT, opened(tmp_path, (target, amended(target, None, entries, *controls))))
    assert cells(text, "c-yearly") == [
        "c-yearly",
        "passed",
        "shop/api-1/app",
        "seen in the rack",
        "audit",
        "2026-11-01 to 2027-11-01",
    ]
    assert "| c-over |" not in text[text.index("## Attestations") : text.index("## Not reviewed")]


def drifted(folder: pathlib.Path, rows: list[dict[str, Any]], **fields: Any) -> Run:
    target = make_target()
    run = opened(folder, (target, make_document(target, make_control("c-1", "passed"))))
    data = json.dumps({"differences": rows}).encode()
    (pathlib.Path(run.folder) / "drift").mkdir()
    (pathlib.Path(run.folder) / "drift" / "x.json").write_bytes(data)
    counts = {
        kind: sum(row["change"] == kind for row in rows)
        for kind in ("added", "changed", "removed", "touched")
    }
    values = {"complete": True, "counts": counts, "cause": "", **fields}
    reference = DriftReference("drift/x.json", hashlib.sha256(data).hexdigest(), **values)
    return replace(run, targets=(replace(run.targets[0], drift=reference),))


def row(path: str, change: str = "added", **fields: Any) -> dict[str, Any]:
    return {"path": path, "change": change, "gained_setuid": False, "executable": False, **fields}


def test_drift_names_the_files_those_with_new_rights_first_and_the_folder(tmp_path: pathlib.Path) -> None:
    rows = [
        row("/etc/motd", "changed"),
        row("/usr/bin/tool", executable=True),
        row("/usr/bin/su", "changed", gained_setuid=True, executable=True),
        row("/etc/hosts", "touched"),
    ]
    text = rendered(markdown.REPORT, drifted(tmp_path, rows))
    assert (
        "- shop/api-1/app: 1 added, 2 changed; /usr/bin/su (changed, now setuid or setgid), /usr/bin/tool (added), "
        "/etc/motd (changed), in drift/x.json\n"
    ) in text
    assert "Each file in drift/ has all differences of one container." in text


def test_many_drifted_files_are_bounded_and_none_is_said(tmp_path: pathlib.Path) -> None:
    many = rendered(
        markdown.REPORT, drifted(tmp_path / "many", [row(f"/f{index:03}") for index in range(99)])
    )
    assert "/f009 (added) and 89 more in drift/x.json\n" in many and "/f010" not in many
    none = rendered(markdown.REPORT, drifted(tmp_path / "none", []))
    assert "## Differences from the image\n\nNone in 1 container.\n" in none
    partly = rendered(
        markdown.REPORT, drifted(tmp_path / "partly", [], complete=False, counts=None, cause="no helper")
    )
    assert "- shop/api-1/app: not complete: no helper\n" in partly


def cases(run: Run) -> dict[str, ElementTree.Element]:
    root = ElementTree.fromstring(rendered(junit.REPORT, run).encode())
    return {str(case.get("name")).split()[1]: case[0] for case in root.iter("testcase") if len(case)}


def test_junit_says_what_was_expected_and_found_the_fix_and_the_waiver(tmp_path: pathlib.Path) -> None:
    target = make_target()
    waivers = {
        "c-2": {"justification": "the vendor", "run": False, "owner": "team", "expiration_date": "2026-12-01"}
    }
    controls = [failing("c-1", "[toor]", descriptions=FIX), failing("c-2", "y")]
    found = cases(opened(tmp_path, (target, amended(target, waivers, None, *controls))))
    assert (found["c-1"].tag, found["c-1"].get("message")) == ("failure", "expected none, found [toor]")
    assert found["c-1"].text == f"expected none, found [toor]\nWhat to do: {FIX['fix']}"
    assert (found["c-2"].tag, found["c-2"].get("message")) == (
        "skipped",
        "waived by team, until 2026-12-01, in 8 days: the vendor",
    )


@pytest.mark.parametrize("damage", ["changed", "missing", "link"])
def test_a_document_that_the_run_did_not_write_is_told_and_nothing_of_it_is_shown(
    tmp_path: pathlib.Path, damage: str
) -> None:
    good, bad = make_target("good-1"), make_target("bad-1")
    run = opened(
        tmp_path,
        *((one, make_document(one, failing("c-1", f"secret of {one.pod}"))) for one in (good, bad)),
    )
    (path,) = (pathlib.Path(run.folder) / "hdf").glob("*bad-1*")
    text = path.read_text()
    path.unlink()
    if damage == "changed":
        path.write_text(text + " ")
    elif damage == "link":
        (tmp_path / "elsewhere.json").write_text(text)
        path.symlink_to(tmp_path / "elsewhere.json")
    shown = rendered(markdown.REPORT, run)
    assert "## Files of the run that this report leaves out\n" in shown and "bad-1" in shown
    assert "secret of good-1" in shown and "secret of bad-1" not in shown
    assert "the control failed; the results file" in rendered(junit.REPORT, run)


@pytest.mark.parametrize(
    "content", [b"[]", b"{}", b'{"profiles": 3}', b'{"profiles": [{"name": 1}]}', b"nothing"]
)
def test_a_file_of_another_shape_whose_digest_was_forged_is_told(
    tmp_path: pathlib.Path, content: bytes
) -> None:
    target = make_target()
    run = opened(tmp_path, (target, make_document(target, failing("c-1", "x"))))
    (pathlib.Path(run.folder) / run.targets[0].hdf).write_bytes(content)
    forged = replace(run.targets[0], hdf_sha256=hashlib.sha256(content).hexdigest())
    shown = rendered(markdown.REPORT, replace(run, targets=(forged,)))
    assert "have another shape" in shown or "leaves out" in shown


def test_memory_is_bounded_for_hostile_documents(tmp_path: pathlib.Path) -> None:
    """A thousand targets with this much would need 45 MB, not the 500 MB of their documents."""
    targets = [make_target(f"pod-{index}") for index in range(20)]
    run = opened(
        tmp_path,
        *(
            (
                one,
                make_document(
                    one, *(failing(f"c-{index}", f"{one.pod} {index} " + "x" * 9000) for index in range(60))
                ),
            )
            for one in targets
        ),
    )
    tracemalloc.start()
    try:
        findings = run.findings
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(findings.failures) == 60
    assert kept < 20 * 45_000
    assert peak < kept + 8_000_000, "one document is held at a time"
    longest = max(len(line) for line in rendered(junit.REPORT, run).splitlines())
    assert longest < 3500, "a text is cut"


def test_documents_without_failures_and_amendments_are_not_parsed(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ansible_collections.securescan.kubernetes.plugins.module_utils.results import findings

    target = make_target()
    run = opened(tmp_path, (target, make_document(target, make_control("c-1", "passed"))))
    monkeypatch.setattr(findings, "load_json", None)
    assert run.findings.unread == []


def test_new_failures_and_those_that_are_gone_are_named_and_bounded(tmp_path: pathlib.Path) -> None:
    target = make_target()
    names = [f"c-{index:02}" for index in range(30)]
    before = opened(
        tmp_path / "before", (target, make_document(target, *(failing(name, "x") for name in names)))
    )
    mended = [make_control(name, "passed", impact=1.0) for name in names]
    now = opened(tmp_path / "now", (target, make_document(target, failing("c-new", "y"), *mended)))
    gate = decide(DEFAULT_THRESHOLD, now.documents(), now.expected_targets(), failures_of_run(before))
    text = rendered(markdown.REPORT, now.with_gate(gate))
    new = text[text.index("## New failures since run run-1\n") :]
    assert new.startswith(
        "## New failures since run run-1\n\n- demo/shop/Deployment/api/app: baseline: c-new\n\n## No longer failing since"
    )
    assert text.count("/app: baseline: c-") == 1 + 25
    assert "- ... and 5 more: see summary.json, gate.no_longer_failed" in text


HOSTILE = "|`</td><img src=x>\n\n# Head\n**PASSED** [x](javascript:y) ]]></failure>\x1b[31m\u202e @all https://a.example"


def test_hostile_text_of_the_files_changes_nothing_of_the_reports(tmp_path: pathlib.Path) -> None:
    target = make_target()
    waivers = {"c-2": {"justification": HOSTILE, "run": False, "owner": HOSTILE}}
    entry = {
        "control_id": "c-3",
        "explanation": HOSTILE,
        "frequency": "1y",
        "status": "passed",
        "updated": "2026-11-01",
        "updated_by": HOSTILE,
    }
    controls = [
        failing("c-1", HOSTILE, descriptions={"fix": HOSTILE}),
        failing("c-2", "x", title=HOSTILE),
        make_control("c-3", "skipped", manual=True, title=HOSTILE),
    ]
    run = opened(tmp_path, (target, amended(target, waivers, [entry], *controls)))
    drift = drifted(tmp_path / "drift", [row(HOSTILE)])
    for text in (rendered(markdown.REPORT, run), rendered(markdown.REPORT, drift)):
        assert "<" not in text and "\x1b" not in text and "\u202e" not in text
        assert not re.search(r"^(# Head|\*\*PASSED)", text, re.MULTILINE)
        assert not re.search(r"(?<!\\)\]\((?!hdf/)", text) and "@all" not in text and "https://" not in text
        tables = [len(re.findall(r"(?<!\\)\|", line)) for line in text.splitlines() if line.startswith("|")]
        assert set(tables) <= {6, 7, 14}
    found = cases(run)
    assert found["c-1"].tag == "failure" and found["c-2"].tag == "skipped"
    assert found["c-3"].tag == "system-out" and len(found) == 3
    assert "\x1b" not in rendered(junit.REPORT, run)
