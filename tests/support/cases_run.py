# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run with one target and one control for each case that a format has to say: the rows of docs/formats.md."""

from __future__ import annotations

import datetime
import pathlib
from collections.abc import Mapping
from typing import Any

from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.amendments import Amendments
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.attestations import (
    load_attestations,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.gate import decide
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.hdf import hdf_document
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import (
    ProfileReference,
    Run,
    open_run,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run_folder import RunFolder
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run_summary_builder import (
    RunSummaryBuilder,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.threshold import (
    DEFAULT_THRESHOLD,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.unmatched import Unmatched
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.waivers import load_waivers
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.identity import Target
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    START,
    make_control,
    make_judgement,
    make_profile,
    make_target,
)

NOW = datetime.datetime(2026, 11, 23, 10, 0, tzinfo=datetime.timezone.utc)
PROFILE = "baseline"
# case -> what the control of its target is: the status of its test, its impact, whether only a person can check it
_JUDGED: Mapping[str, tuple[str, float, bool]] = {
    "passed": ("passed", 0.5, False),
    "failed": ("failed", 0.7, False),
    "not reviewed": ("skipped", 0.5, False),
    "not applicable": ("passed", 0.0, False),
    "profile error": ("error", 0.5, False),
    "waived": ("failed", 0.7, False),
    "failed, waiver expired": ("failed", 0.7, False),
    "attested as passed": ("skipped", 0.5, True),
    "attested as failed": ("skipped", 0.5, True),
    "not reviewed, attestation expired": ("skipped", 0.5, True),
}
# Cases of whole targets.
SKIPPED = "every profile skipped"
UNREAD = "document that is not the run's"
NOT_SCANNED = "target not scanned"
GAP = "name without a target"
CASES = (*_JUDGED, SKIPPED, UNREAD, NOT_SCANNED, GAP)
# The cases that must not look as if the control were met.
NOT_PASSED = tuple(case for case in CASES if case not in ("passed", "attested as passed"))


def slug(case: str) -> str:
    return "-".join("".join(char if char.isalnum() else " " for char in case).split())


def target_of(case: str) -> Target:
    return make_target(slug(case), workload=slug(case))


def control_of(case: str) -> str:
    return f"c-{slug(case)}"


def target_id_of(case: str) -> str:
    return "namespace//nowhere" if case == GAP else target_of(case).target_id


_WAIVERS = {
    control_of("waived"): {"justification": "the vendor needs it", "run": False, "owner": "shop"},
    control_of("failed, waiver expired"): {
        "justification": "until summer",
        "run": False,
        "expiration_date": "2026-06-30",
    },
}


def _attestation(case: str, status: str, frequency: str) -> dict[str, str]:
    return {
        "control_id": control_of(case),
        "explanation": "seen by a person",
        "frequency": frequency,
        "status": status,
        "updated": "2026-11-01",
        "updated_by": "security",
    }


_ATTESTATIONS = [
    _attestation("attested as passed", "passed", "1y"),
    _attestation("attested as failed", "failed", "1y"),
    _attestation("not reviewed, attestation expired", "passed", "2d"),
]


def write_cases_run(folder: pathlib.Path) -> Run:
    """Writes the run below `folder`, gate decided, without reports, and opens it."""
    run_folder = RunFolder(str(folder), "cases")
    run_folder.create()
    nothing = {"code": "SCAN-301", "reason": "not_found", "message": "there is no namespace nowhere"}
    builder = RunSummaryBuilder(
        run_id="cases",
        started=START,
        cluster="demo",
        selection={"namespaces": ["shop", "nowhere"]},
        profiles=[ProfileReference(PROFILE, "1.2.0", "ab" * 32)],
        unmatched=[Unmatched.of("namespace", "nowhere", "", nothing)],
    )
    amendments = Amendments(load_waivers(_WAIVERS, "w.yml"), load_attestations(_ATTESTATIONS, "a.yml"))
    named: list[tuple[str, dict[str, Any]]] = []
    notes = []
    for case in (*_JUDGED, SKIPPED, UNREAD):
        target = target_of(case)
        status, impact, manual = _JUDGED.get(case, ("passed", 0.5, False))
        control = make_control(
            control_of(case), status, impact=impact, manual=manual, tags={"nist": ["AC-6"]}
        )
        profile = make_profile(PROFILE, control)
        if case == SKIPPED:
            profile = make_profile(PROFILE, status="skipped", status_message="not for this platform")
        notes += amendments.apply([profile], target.identity(), NOW)
        judgement = make_judgement(target, profile)
        judgement.method["run_id"] = "cases"
        document = hdf_document(judgement)
        hdf, sha256 = run_folder.write_hdf(document, target.identity())
        builder.add_scanned(target.identity(), "exec", 0.25, document, hdf, hdf_sha256=sha256)
        named.append((hdf, document))
        if case == UNREAD:
            (run_folder.path / hdf).write_bytes(b"{}")
    error = ScanError("no_such_program", 'exec: "sh": not found', tried="exec into shop")
    builder.add_not_scanned(target_of(NOT_SCANNED).identity(), "exec", 0.05, error.record())
    run = builder.finish("2026-11-23T10:00:02Z", 2.0, notes)
    run_folder.write_summary(run.with_gate(decide(DEFAULT_THRESHOLD, named, run.expected_targets())))
    return open_run(str(run_folder.path))
