# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What docs/exceptions.md shows is what the reports make of a small run, and its files can be read."""

from __future__ import annotations

import datetime
import pathlib
import re
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports import markdown
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.exception_table import (
    review_lines,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.amendments import read_amendments
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.exception_policy import (
    load_exception_policy,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.exception_review import (
    FINDING_KINDS,
    ExceptionReviewer,
    ReviewRules,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.hdf import hdf_document
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run, open_run
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.verdicts import run_verdicts
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.waivers import load_waivers
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_judgement,
    make_profile,
    make_target,
    rendered,
    write_run,
)
from ansible_collections.securescan.kubernetes.tests.support.shown_outputs import shown

PAGE = (pathlib.Path(__file__).resolve().parents[3] / "docs" / "exceptions.md").read_text(encoding="utf-8")
NOW = datetime.datetime(2026, 11, 23, 10, 0, tzinfo=datetime.timezone.utc)
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
LEGACY = [{"namespace": "shop", "workload": "Deployment/legacy"}]
REQUESTED = {"requested_by": "ann", "requested": "2026-11-02", "ticket": "RISK-17"}
APPROVED = {"approved_by": "security", "approved": "2026-11-04"}
WAIVERS: dict[str, Any] = {
    "cb-root-locked": {
        "justification": "The vendor's image needs it until release 4.",
        "run": False,
        "expiration_date": "2026-12-15",
        "targets": LEGACY,
        **REQUESTED,
        **APPROVED,
    },
    "cb-banner": {"justification": "No one logs in.", "run": False, "owner": "shop"},
    "cb-root-uid": {
        "justification": "Until the next image.",
        "run": False,
        "expiration_date": "2027-01-31",
        "targets": LEGACY,
        **dict(REQUESTED, ticket="RISK-21"),
    },
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    documents = []
    for workload, pod in (("legacy", "legacy-7d9897c895-2d9jn"), ("api", "api-df4867d9-4dblr")):
        target = make_target(pod, "app", workload=workload, cluster="prod-eu")
        profile = make_profile(
            "container-baseline",
            make_control("cb-root-uid", "failed", title="Only root has user id 0"),
            make_control("cb-root-locked", "failed", title="The account root is locked"),
            make_control("cb-banner", "passed", impact=0.2, title="Logins show a banner"),
        )
        notes = read_amendments(WAIVERS, None).apply([profile], target.identity(), NOW)
        documents.append((target, hdf_document(make_judgement(target, profile)), notes))
    folder = write_run(
        tmp_path_factory.mktemp("prod-eu"),
        "20261123t130000-1f9a2c",
        [(target, document) for target, document, _notes in documents],
        cluster="prod-eu",
    )
    notes = dict.fromkeys(note for _target, _document, notes in documents for note in notes)
    return replace(open_run(str(folder)), waiver_notes=tuple(notes))


def test_what_the_summary_shows(run: Run) -> None:
    text = rendered(markdown.REPORT, run)
    (found,) = re.findall(r"^## Waivers\n.*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    shown("exceptions.md", "waivers", found, {})


def test_what_the_review_prints(run: Run) -> None:
    reviewer = ExceptionReviewer(read_amendments(WAIVERS, None), ReviewRules(), NOW)
    for target in run_verdicts(run):
        reviewer.take(target)
    shown("exceptions.md", "review", "\n".join(["[prod-eu]", *review_lines(reviewer.review(), 100)]), {})


def test_the_files_of_the_page_can_be_read() -> None:
    request, approval, policy = BLOCKS
    waiver = load_waivers(request + approval, "waivers.yml").by_control["cb-root-locked"]
    rules = load_exception_policy(policy, "exception-policy.yml")
    assert waiver.why_not(NOW, rules) == ""
    alone = load_waivers(request, "waivers.yml").by_control["cb-root-locked"]
    assert "nobody has approved it" in alone.why_not(NOW)


def test_the_page_has_each_kind_of_finding() -> None:
    for kind in FINDING_KINDS:
        assert f"\n| `{kind}` |" in PAGE
