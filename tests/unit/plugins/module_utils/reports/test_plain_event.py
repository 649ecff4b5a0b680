# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import pathlib

from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.plain_event import plain_event
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.verdicts import run_verdicts
from ansible_collections.securescan.kubernetes.tests.support.sample_run import LEGACY, write_sample_run


def test_an_event_says_all_of_one_control_on_one_target(tmp_path: pathlib.Path) -> None:
    run = write_sample_run(tmp_path)
    target = next(one for one in run_verdicts(run) if one.record.target_id == LEGACY.target_id)
    failed, waived = (
        next(verdict for verdict in target.controls if verdict.about.id == name)
        for name in ("c-failed", "c-waived")
    )
    event = plain_event(run, target, failed, "created")
    assert event["fingerprint"] == failed.fingerprint(target.record.place_id)
    assert event["run"] == {"id": "run-1", "started": run.started, "cluster": "demo", "cluster_uid": ""}
    assert event["target"]["place"] == "demo/shop/Deployment/legacy/app"
    assert event["target"]["evidence"] == "beside"
    assert "image_digest" not in event["target"], "what is not known is not there"
    assert event["control"]["tags"]["nist"] == ["AC-6", "CM-7"]
    assert (event["activity"], event["status"], event["waived"]) == ("created", "failed", False)
    assert event["text"] == "expected 0644, found 0777"
    assert event["exceptions"][0]["expires"] == "2026-06-30", "one that has expired is shown"
    event = plain_event(run, target, waived)
    assert (event["status"], event["waived"]) == ("not_applicable", True)
    assert event["exceptions"][0]["owner"] == "team | <shop>"


def test_every_event_of_a_hostile_run_is_json_in_utf_8(tmp_path: pathlib.Path) -> None:
    run = write_sample_run(tmp_path)
    for target in run_verdicts(run):
        for verdict in target.controls:
            json.dumps(plain_event(run, target, verdict), ensure_ascii=False, allow_nan=False).encode()
