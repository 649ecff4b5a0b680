# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exceptions through a real scan: what is approved counts, what is only requested does not, and the review says so."""

from __future__ import annotations

import datetime
import json
import pathlib

TODAY = datetime.datetime.now(datetime.timezone.utc).date()


def day(days: int) -> str:
    return (TODAY + datetime.timedelta(days=days)).isoformat()


def test_a_scan_counts_what_is_approved_and_the_review_finds_the_rest(
    playbooks, tmp_path: pathlib.Path
) -> None:
    legacy = {"targets": [{"namespace": "shop", "workload": "Deployment/legacy"}]}
    asked = {"requested_by": "ann", "requested": day(-10), "justification": "known", "run": False}
    approved = {"approved_by": "security", "approved": day(-9), "ticket": "RISK-17"}
    waivers = {
        "cb-root-uid": {**asked, **approved, **legacy, "expiration_date": day(20)},
        "cb-shadow-passwords": {**asked, **legacy, "expiration_date": day(90)},
        "cb-shadow-file": {**asked, **approved, **legacy, "approved_by": "bob", "expiration_date": day(90)},
    }
    files = tmp_path / "waivers.json", tmp_path / "policy.yml"
    files[0].write_text(json.dumps(waivers), encoding="utf-8")
    files[1].write_text("approvers: [security]\nmax_days: 180\n", encoding="utf-8")
    given = {"scan_waivers": str(files[0]), "scan_exception_policy": str(files[1])}
    run = playbooks.scan(scan_fail_on="never", **given)
    assert run.status == 0, run.output[-3000:]
    documents = [
        json.loads((run.run_dir / target["hdf"]).read_text())
        for target in run.summary["targets"]
        if target["workload"] == "legacy"
    ]
    assert documents
    for document in documents:
        found = {
            control["id"]: control["waiver_data"]
            for profile in document["profiles"]
            for control in profile["controls"]
            if control["id"] in waivers
        }
        assert found["cb-root-uid"]["skipped_due_to_waiver"] is True
        assert found["cb-root-uid"]["status_without_waiver"] == "failed"
        assert found["cb-root-uid"]["ticket"] == "RISK-17"
        for name in ("cb-shadow-passwords", "cb-shadow-file"):
            assert found[name]["skipped_due_to_waiver"] is False
    notes = {note["control_id"]: note["text"] for note in run.summary["waiver_notes"]}
    assert "nobody has approved it" in notes["cb-shadow-passwords"]
    assert "bob approved it, who is not among the approvers" in notes["cb-shadow-file"]
    review = playbooks.run(
        "securescan.kubernetes.waivers", scan_output_dir=str(tmp_path / "results"), **given
    )
    assert review.status == 2 and "SCAN-891" in review.output
    said = " ".join(review.output.split())
    assert "3 of 3 waivers and attestations need action: 2 not_counted, 1 expiring" in said
