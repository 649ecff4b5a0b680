# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What docs/results.md shows is what the reports make of a small run."""

from __future__ import annotations

import datetime
import io
import pathlib
import re
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.threshold import (
    scan_threshold_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports import junit, markdown
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.amendments import Amendments
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.gate import decide
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.hdf import hdf_document
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.model import Segment
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import (
    ProfileReference,
    Run,
    open_run,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.threshold import DEFAULT_THRESHOLD
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.waivers import load_waivers
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.threshold import run_scan_threshold
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    START,
    make_control,
    make_judgement,
    make_profile,
    make_target,
    write_run,
)
from ansible_collections.securescan.kubernetes.tests.support.shown_outputs import shown

NOW = datetime.datetime(2026, 11, 23, 10, 0, tzinfo=datetime.timezone.utc)
WAIVERS = {
    "cb-root-locked": {
        "justification": "The vendor's image needs it until release 4.",
        "run": False,
        "owner": "platform-security",
        "expiration_date": "2026-12-15",
    },
    "cb-banner": {"justification": "No one logs in.", "run": False, "owner": "shop"},
}
FIX = {"fix": "Remove the account in the image's build, or give it another user id."}
NO_SHELL = ScanError("no_such_program", 'exec: "sh": not found')


def document(target: Any, *, root: bool) -> dict[str, Any]:
    uid = make_control(
        "cb-root-uid",
        "failed" if root else "passed",
        impact=0.9,
        title="Only root has user id 0",
        descriptions=FIX,
    )
    if root:
        message = "expected names to have none outside [root], found [toor] in /etc/passwd"
        uid.results = [Segment("failed", "Users", START, message=message)]
    profile = make_profile(
        "container-baseline",
        uid,
        make_control("cb-root-locked", "failed", impact=0.7, title="The account root is locked"),
        make_control("cb-banner", "failed", impact=0.2, title="Logins show a banner"),
        make_control("cb-tmp-sticky", "passed", title="/tmp is sticky"),
    )
    Amendments(load_waivers(WAIVERS, "waivers.yml")).apply([profile], target.identity(), NOW)
    return hdf_document(make_judgement(target, profile))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run over the cluster prod-eu whose gate has decided."""
    names = (
        ("legacy-7d9897c895-2d9jn", True),
        ("legacy-7d9897c895-qg5mq", True),
        ("api-df4867d9-4dblr", False),
    )
    targets = [
        (make_target(pod, "app", workload=pod.partition("-")[0], cluster="prod-eu"), root)
        for pod, root in names
    ]
    documents = [(target, document(target, root=root)) for target, root in targets]
    edge = make_target("edge-5b645cd455-k52zf", "app", workload="edge", cluster="prod-eu")
    folder = write_run(
        tmp_path_factory.mktemp("prod-eu"),
        "20261123t130000-1f9a2c",
        documents,
        [(edge, NO_SHELL)],
        cluster="prod-eu",
        profiles=[ProfileReference("container-baseline", "1.2.0", "ab" * 32)],
    )
    opened = open_run(str(folder))
    return opened.with_gate(decide(DEFAULT_THRESHOLD, opened.documents(), opened.expected_targets()))


def rendered(report: Any, run: Run) -> str:
    stream = io.StringIO()
    report.write(run, stream)
    return stream.getvalue()


def section(text: str, title: str) -> str:
    (found,) = re.findall(rf"^## {title}\n.*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return str(found)


def test_the_block_that_is_printed(run: Run) -> None:
    params = {name: option.get("default") for name, option in scan_threshold_spec().items()}
    result = run_scan_threshold({**params, "run_dir": run.folder}, TaskContext(check_mode=True, environ={}))
    text = re.sub("scanned .* ago", "scanned 1 second ago", "\n".join(["[prod-eu]", *result["table"]]))
    shown("results.md", "block", text, {str(pathlib.Path(run.folder).parent): "/srv/scans/prod-eu"})


def test_the_failed_controls(run: Run) -> None:
    shown("results.md", "failed-controls", section(rendered(markdown.REPORT, run), "Failed controls"), {})


def test_the_waivers(run: Run) -> None:
    shown("results.md", "waivers", section(rendered(markdown.REPORT, run), "Waivers"), {})


def test_the_junit_cases(run: Run) -> None:
    text = rendered(junit.REPORT, run)
    cases = re.findall(r" *<testcase [^>]*name=\"control: cb-root-[^>]*>.*?</testcase>", text, re.DOTALL)
    shown("results.md", "junit", "\n".join(cases[1:3]), {})


def test_the_page_names_every_file_of_a_run() -> None:
    page = (pathlib.Path(__file__).resolve().parents[3] / "docs" / "results.md").read_text(encoding="utf-8")
    for name in ("summary.md", "summary.json", "gate.junit.xml", "hdf/", "drift/", "facts/"):
        assert f"`{name}" in page
