# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run that has everything a report can meet: each status, outcome and kind of note, two clusters, hostile text."""

from __future__ import annotations

import datetime
import pathlib
from typing import Any

from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.amendments import Amendments
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.attestations import (
    load_attestations,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.comparison import (
    failures_of_documents,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.evidence import Evidence
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.gate import decide
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.hdf import hdf_document
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.model import ProfileResult
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import (
    ProfileReference,
    Run,
    open_run,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run_folder import RunFolder
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run_summary_builder import (
    RunSummaryBuilder,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.target_record import (
    DriftReference,
    KeptFacts,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.threshold import (
    LASTING_LIMITS,
    load_threshold,
)
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
# ANSI, HTML, Markdown, XML, Jinja, a change of direction, an address, a mention, a byte that was not UTF-8, two lines
HOSTILE = "\x1b[31m<b>&|`[x](y)`]]> {{ 7 * 7 }} \u202e https://a.example @all \udcff \ud800\n# Head | cell"
PROFILES = [
    ProfileReference("baseline", "1.2.0", "ab" * 32),
    ProfileReference("extra", "1.2.0", "ab" * 32),
]
WAIVERS = {
    "c-waived": {"justification": "The vendor needs it.", "run": False, "owner": "team | <shop>"},
    "c-failed": {"justification": "until summer", "run": False, "expiration_date": "2026-06-30"},
    "c-nowhere": {"justification": "a slip"},
}
ATTESTATIONS = [
    {
        "control_id": control_id,
        "explanation": "seen by a person",
        "frequency": frequency,
        "status": "passed",
        "updated": "2026-11-01",
        "updated_by": "security",
        "covers_unread": covers_unread,
    }
    for control_id, frequency, covers_unread in (
        ("c-attested", "1y", False),
        ("c-unread", "2d", True),
        ("c-withheld", "1y", False),
    )
]
THRESHOLD = {
    "compliance": {"min": 40},
    "failed": {"critical": {"max": 0}, "total": {"max": 3}},
    "error": {"total": {"max": 0}},
    "coverage": {"min": 100},
    "new_failures": {"max": 0},
    "must_pass": {"baseline": ["c-passed", "c-low"]},
}
API, LEGACY, EDGE, EVIL, SILENT = (
    make_target("api-1"),
    make_target("legacy-1", workload="legacy", image_digest=""),
    make_target("api-1", cluster="edge", node="edge-1"),
    make_target("evil-1", HOSTILE, workload="evil", node=HOSTILE, image=HOSTILE),
    make_target("silent-1", workload="silent"),
)
EVIDENCE = {
    API: Evidence("image"),
    LEGACY: Evidence("beside", ("The debug container was there before this scan.",)),
    EDGE: Evidence("target"),
    EVIL: Evidence("target", (HOSTILE, "The debug container was there before this scan.")),
    SILENT: Evidence("target"),
}
BARE, BARE_TOO, REFUSED = (
    make_target("bare-1", workload="bare"),
    make_target("bare-2", workload="bare"),
    make_target("refused-1", workload=HOSTILE, workload_kind="StatefulSet", cluster="edge"),
)
NO_SHELL = ScanError("no_such_program", 'exec: "sh": not found', tried="exec into shop/bare-1/app")
HOSTILE_ERROR = ScanError("exec_failed", HOSTILE, tried=HOSTILE, cause=HOSTILE, advice=HOSTILE)


def _controls(*failed: str) -> list[Any]:
    """Controls of each status; those that `failed` names fail."""
    tags = {"nist": ["AC-6", "CM-7"], "cis": "5.2.6"}
    impacts = {"c-failed": 1.0, "c-low": 0.2, "c-tolerated": 0.2}
    return [
        make_control("c-passed", "passed", "passed", tags=tags),
        *(
            make_control(one, "failed" if one in failed else "passed", impact=impacts[one], tags=tags)
            for one in impacts
        ),
        make_control("c-unread", "skipped", impact=0.5),
        make_control("c-attested", "skipped", manual=True),
        make_control("c-waived", "failed", impact=0.9),
        make_control("c-no-impact", "passed", impact=0.0),
        make_control("c-broken", "error" if failed else "passed"),
    ]


def _silent_profile() -> ProfileResult:
    """What a target gives that shows what is good and keeps back the rest."""
    shown = [make_control(one, "passed", impact=1.0) for one in ("c-passed", "c-low")]
    return make_profile("baseline", *shown, make_control("c-withheld", "skipped", impact=0.9))


def _documents(waivers: Any, attestations: Any) -> tuple[list[tuple[Target, dict[str, Any]]], list[Any]]:
    """(target, its HDF document) of what was scanned, and the notes on waivers and attestations."""
    amendments = Amendments(waivers, attestations)
    hostile = make_control(HOSTILE, "failed", "skipped", impact=0.8, title=HOSTILE, desc=HOSTILE)
    judged = [
        (API, [make_profile("baseline", *_controls()), make_profile("extra", make_control("e-1", "passed"))]),
        (
            LEGACY,
            [
                make_profile("baseline", *_controls("c-failed", "c-low")),
                make_profile("extra", make_control("e-1", "failed", impact=0.9)),
            ],
        ),
        (
            EDGE,
            [
                make_profile("baseline", *_controls("c-low", "c-tolerated")),
                make_profile("extra", make_control("e-1", "passed")),
            ],
        ),
        (SILENT, [_silent_profile(), make_profile("extra", make_control("e-1", "passed"))]),
        (EVIL, [make_profile("baseline", hostile), make_profile("extra", make_control("e-1", "skipped"))]),
    ]
    notes = []
    documents = []
    for target, profiles in judged:
        notes += amendments.apply(profiles, target.identity(), NOW)
        judgement = make_judgement(target, *profiles)
        judgement.method["evidence"] = EVIDENCE[target].to_json()
        documents.append((target, hdf_document(judgement)))
    return documents, notes


def write_sample_run(folder: pathlib.Path) -> Run:
    """Writes the run below `folder`, gate decided, without reports, and opens it."""
    run_folder = RunFolder(str(folder), "run-1")
    run_folder.create()
    documents, notes = _documents(
        load_waivers(WAIVERS, "waivers.yml"), load_attestations(ATTESTATIONS, "attestations.yml")
    )
    builder = RunSummaryBuilder(
        run_id="run-1",
        started=START,
        cluster="demo",
        selection={"namespaces": ["shop", HOSTILE], "replicas": "all", "limit": None},
        profiles=PROFILES,
        collector_version="1",
    )
    named = []
    for target, document in documents:
        hdf, sha256 = run_folder.write_hdf(document, target.identity())
        drift = DriftReference("", "", complete=False, counts=None, cause=HOSTILE) if target is EVIL else None
        facts = KeptFacts("facts/x.json", "ef" * 32) if target is API else None
        builder.add_scanned(
            target.identity(), "exec", 0.25, document, hdf, hdf_sha256=sha256, facts=facts, drift=drift
        )
        named.append((hdf, document))
    for target, error in ((BARE, NO_SHELL), (BARE_TOO, NO_SHELL), (REFUSED, HOSTILE_ERROR)):
        builder.add_not_scanned(target.identity(), "debug", 0.05, error.record())
    run = builder.finish("2026-11-23T10:00:02Z", 2.0, notes)
    baseline = failures_of_documents(
        [
            (hdf, document)
            for (hdf, document), (target, _unused) in zip(named, documents)
            if target not in (EVIL, SILENT)
        ]
    )
    threshold = load_threshold(THRESHOLD, f"gate {HOSTILE}").with_limits(LASTING_LIMITS)
    decision = decide(threshold, named, run.expected_targets(), baseline)
    run_folder.write_summary(run.with_gate(decision))
    return open_run(str(run_folder.path))
