# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a preflight and a footprint read."""

from __future__ import annotations

from datetime import datetime, timezone

import yaml
from ansible_collections.securescan.kubernetes.plugins.module_utils.footprint.left_entries import (
    as_result,
    entries_of,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.preflight.report import (
    footprint_lines,
    preflight_lines,
    result_text,
)

NOW = datetime(2026, 1, 3, tzinfo=timezone.utc)
RULE = {"apiGroups": [""], "resources": ["pods/ephemeralcontainers"], "verbs": ["patch"]}


def explained(**changes):
    nothing = {"works": 0, "unknown": 0, "refused": 0, "reasons": [], "reasons_left_out": 0}
    hostile = {
        "status": "refused",
        "reason": "debug_refused",
        "code": "SCAN-508",
        "targets": 3,
        "cause": "Policy \x1b[31mp",
        "message": "it was\nrefused " + "x" * 300,
        "advice": "Ask.",
        "examples": ["shop/a/b"],
    }
    return dict(
        {
            "targets": 5,
            "scannable": 2,
            "not_scannable": 3,
            "namespaces": {"shop": {"Deployment": 4, "Pod": 1}},
            "namespaces_left_out": 0,
            "tried": [{"approaches": [], "targets": 3}, {"approaches": ["exec", "debug"], "targets": 2}],
            "cross_checks": [{"approach": "debug", "targets": 2}, {"approach": "", "targets": 3}],
            "approaches": {
                "exec": nothing,
                "debug": dict(nothing, refused=3, works=2, reasons=[hostile]),
                "image": nothing,
            },
            "server_version": "Kubernetes v1",
            "grantor": "jo",
            "approach": "auto",
            "order": ["exec", "debug"],
            "not_tried": {"image": "no helper_namespace is given"},
            "left_out": {"finished": 3},
            "unmatched": [
                {
                    "kind": "namespace",
                    "name": "billingg",
                    "namespace": "",
                    "counts": True,
                    "error": {"message": "namespace billingg does not exist"},
                }
            ],
            "unmatched_count": 1,
            "gaps": 1,
            "missing": [
                {
                    "namespaces": [f"n{number}" for number in range(20)],
                    "namespaces_count": 40,
                    "approaches": ["debug"],
                    "rules": [RULE],
                }
            ],
            "estimate": {
                "seconds": 200,
                "concurrency": 8,
                "namespaces": 1,
                "seconds_per_namespace": 0.3,
                "parts": [{"approach": "exec", "uses": 2, "seconds": 0.7, "measured_in": "test bed"}],
            },
            "conclusion": "a scan can begin",
        },
        **changes,
    )


def test_it_says_all_and_nothing_in_it_steers_a_terminal():
    text = "\n".join(preflight_lines("demo", explained()))
    assert "\x1b" not in text and "PREFLIGHT of demo (Kubernetes v1) as jo" in text
    for words in (
        "5 containers in 1 namespace",
        "Deployment 4, Pod 1",
        "exec, if the image has a shell, else debug",
        "3  cannot be scanned",
        "SCAN-508 debug_refused",
        "(shop/a/b and 2 more)",
        "n7 and 32 more",
        "about 3 min: 2 x 0.7 s by exec (test bed)",
        "RESULT   a scan can begin",
        "not tried: image (no helper_namespace is given)",
        "left out: 3 of pods that have ended (finished_pods takes them)",
        "no target: namespace billingg does not exist",
    ):
        assert words in text, words
    assert all(len(line) <= 100 for line in text.splitlines() if "x" * 50 not in line)


def test_the_decision_says_which_names_gave_nothing():
    told = result_text(explained())
    assert told == (
        "a scan by auto can begin: 2 containers, 3 more cannot be scanned; but 1 name gives no target, which counts as not "
        "scanned: namespace billingg"
    )
    assert "; but" not in result_text(explained(gaps=0)), "allowed, or none"
    nothing = explained(targets=0, scannable=0, gaps=0)
    assert result_text(nothing) == "nothing is to be scanned: no container was selected"


def test_where_no_permission_is_missing_that_is_said_without_a_double_meaning():
    lines = preflight_lines("demo", explained(missing=[]))
    assert "MISSING  none" in lines


def test_the_rule_can_be_pasted():
    lines = preflight_lines("demo", explained())
    start = next(number for number, line in enumerate(lines) if line.lstrip().startswith("- {"))
    assert yaml.safe_load("rules:\n" + lines[start])["rules"] == [RULE]


def entry(name, run_id="run-1", command=None):
    return {
        "name": name,
        "targetContainerName": "app",
        "image": "tools:1",
        "command": ["sh", "-c", "x", "securescan", "90", "end", run_id] if command is None else command,
    }


def pod(*entries, started=None, name="p"):
    state = {"running": {"startedAt": started}} if started else {}
    return {
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"ephemeralContainers": list(entries)},
        "status": {
            "ephemeralContainerStatuses": [{"name": each["name"], "state": state} for each in entries]
        },
    }


def test_only_our_entries_are_told_with_their_age():
    found = list(
        entries_of(
            pod(
                entry("securescan-1"),
                entry("other"),
                entry("securescan-mine", command=["sleep"]),
                started="2026-01-01T00:00:00Z",
            ),
            NOW,
        )
    )
    assert [(each["name"], each["run_id"], each["state"], each["age"]) for each in found] == [
        ("securescan-1", "run-1", "running", 2 * 86400)
    ]
    (unknown,) = entries_of(pod(entry("securescan-2")), NOW)
    assert (unknown["state"], unknown["age"]) == ("unknown", None)
    assert list(entries_of({"metadata": {}, "spec": {}, "status": {}}, NOW)) == []


def test_the_oldest_come_first_and_the_list_is_bounded():
    entries = [
        next(
            entries_of(pod(entry("securescan-1"), started=f"2026-01-02T0{hour}:00:00Z", name=f"p{hour}"), NOW)
        )
        for hour in range(5)
    ]
    found = as_result(entries, 2)
    assert (found["count"], found["running"], found["pods"], found["oldest"]) == (5, 5, 5, 86400)
    assert [each["pod"] for each in found["entries"]] == ["p0", "p1"]
    text = "\n".join(footprint_lines("demo", found))
    assert (
        "5 entries in 5 pods, 5 of them running, the oldest started 24 h ago" in text and "and 3 more" in text
    )
    assert "  24 h     running     shop/p0 securescan-1" in text
    assert "0 entries in 0 pods" in "\n".join(footprint_lines("demo", as_result([], 2)))
