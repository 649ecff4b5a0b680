# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON schemas of people's files, for editors: of one mind with the loaders.

A schema never refuses what its loader accepts. What only the loader refuses stands in a list of its own.
"""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results import (
    attestations,
    deadline_policy,
    exception_policy,
    limits,
    strict_yaml,
    teams,
    threshold,
    waivers,
)

jsonschema = pytest.importorskip("jsonschema")

FILES = {
    "waivers": (waivers.waivers_schema, waivers.load_waivers),
    "attestations": (attestations.attestations_schema, attestations.load_attestations),
    "threshold": (limits.limits_schema, threshold.load_threshold),
    "exception-policy": (exception_policy.exception_policy_schema, exception_policy.load_exception_policy),
    "teams": (teams.teams_schema, teams.load_teams),
    "deadlines": (deadline_policy.deadlines_schema, deadline_policy.load_deadlines),
}
ATTESTED = (
    "control_id: a, explanation: e, frequency: 90d, status: passed, updated: 2026-11-02, updated_by: ann"
)
ACCEPTED = [
    ("waivers", "a: {justification: x}"),
    ("waivers", "a: {justification: x, run: false, expiration_date: 2027-01-31, owner: shop}"),
    ("waivers", "a: {justification: x, run: null, expiration_date: '2027-01-31T12:00:00+01:00'}"),
    ("waivers", "a: {justification: x, targets: [{namespace: shop, workload: '*/api'}, {image: '*:1'}]}"),
    ("waivers", "a: {justification: x, requested_by: ann, requested: 2026-11-02, ticket: R-1}"),
    ("waivers", "a: {justification: x, approved_by: bob, approved: ' 2026-11-02 10:00 '}"),
    ("attestations", f"[{{{ATTESTED}}}]"),
    ("attestations", f"[{{{ATTESTED}, covers_unread: true, targets: [{{container: app}}]}}]"),
    ("attestations", f"[{{{ATTESTED.replace('90d', '1.5 years')}}}]"),
    ("attestations", f"[{{{ATTESTED.replace('90d', 'quarterly')}}}]"),
    ("threshold", "compliance: {min: 80}"),
    ("threshold", "compliance.min: 79.5"),
    ("threshold", "failed: {total: 3, critical: {max: 0}}"),
    ("threshold", "failed: {total: {max: 3}, critical.max: 0, low: {controls: [a, b]}}"),
    ("threshold", "{failed.total.max: 0, failed.total: 0, 'error': {total.max: 0}}"),
    ("threshold", "reviewed: {min: 90, critical: {min: 100}}"),
    (
        "threshold",
        "{coverage: {min: 100}, evidence.min: beside, skipped_profiles: {max: 0}, new_failures.max: 0}",
    ),
    ("threshold", "{overdue.max: 0, overdue_scans: {max: 1}}"),
    ("threshold", "must_pass: [a]"),
    ("threshold", "must_pass: {container-baseline: [a]}"),
    ("threshold", "must_pass.container-baseline: [a]"),
    ("exception-policy", "approval: true"),
    ("exception-policy", "{approvers: [a], max_days: 180, attestation_max_days: 1, ticket: false}"),
    ("teams", "team: {labels: [example.com/team, team], annotations: []}"),
    (
        "teams",
        "namespaces: [{cluster: 'prod-*', environment: production}, {namespace: shop, team: Shop & Co.}]",
    ),
    ("deadlines", "default: {scan_every_hours: 168, fix_within_days: {critical: 0.5, high: never}}"),
    ("deadlines", "environments: {production: {scan_every_hours: never}}"),
]
REFUSED = [
    *((name, text) for name in FILES for text in ("{}", "[]", "1", "a", "null")),
    ("waivers", "a: x"),
    ("waivers", "a: {}"),
    ("waivers", "a: {justification: ' '}"),
    ("waivers", "a: {justification: x, reason: y}"),
    ("waivers", "a: {justification: x, run: 'no'}"),
    ("waivers", "a: {justification: x, owner: 1}"),
    ("waivers", "a: {justification: x, expiration_date: null}"),
    ("waivers", "a: {justification: x, expiration_date: next year}"),
    ("waivers", "a: {justification: x, expiration_date: 31.01.2027}"),
    ("waivers", "a: {justification: x, requested_by: ann}"),
    ("waivers", "a: {justification: x, approved: 2026-11-02}"),
    ("waivers", "a: {justification: x, ticket: 17}"),
    ("waivers", "a: {justification: x, targets: []}"),
    ("waivers", "a: {justification: x, targets: [{}]}"),
    ("waivers", "a: {justification: x, targets: [{name: a}]}"),
    ("waivers", "a: {justification: x, targets: [{workload: api}]}"),
    ("attestations", "[{control_id: a}]"),
    ("attestations", f"[{{{ATTESTED}, by: x}}]"),
    ("attestations", f"[{{{ATTESTED}, requested_by: x, requested: 2026-11-02}}]"),
    ("attestations", f"[{{{ATTESTED.replace('passed', 'skipped')}}}]"),
    ("attestations", f"[{{{ATTESTED.replace('90d', '6 minutes')}}}]"),
    ("attestations", f"[{{{ATTESTED.replace('2026-11-02', 'yesterday')}}}]"),
    ("attestations", f"[{{{ATTESTED}, covers_unread: 1}}]"),
    ("threshold", "complience: {min: 80}"),
    ("threshold", "compliance: 80"),
    ("threshold", "compliance: {min: 101}"),
    ("threshold", "compliance: {min: '80'}"),
    ("threshold", "compliance: {min: true}"),
    ("threshold", "compliance: {}"),
    ("threshold", "failed: {max: 0}"),
    ("threshold", "failed: {critical: {max: -1}}"),
    ("threshold", "failed: {critical: {max: 0.5}}"),
    ("threshold", "failed: {critical: {most: 0}}"),
    ("threshold", "failed: {critical: {max: null}}"),
    ("threshold", "failed: {low: {controls: [a, a]}}"),
    ("threshold", "evidence: {min: most}"),
    ("threshold", "must_pass: []"),
    ("threshold", "must_pass: {container-baseline: []}"),
    ("threshold", "must_pass.container-baseline: a"),
    ("exception-policy", "approve: true"),
    ("exception-policy", "max_days: 0"),
    ("exception-policy", "max_days: 1.5"),
    ("exception-policy", "approvers: []"),
    ("exception-policy", "{approval: false, approvers: [a]}"),
    ("teams", "team: {}"),
    ("teams", "team: {labels: [a, a]}"),
    ("teams", "team: {labels: [-a]}"),
    ("teams", "namespaces: [{cluster: a}]"),
    ("teams", "namespaces: [{namespace: '', team: a}]"),
    ("teams", "namespaces: [{team: ' a'}]"),
    ("teams", "namespaces: [{team: (none)}]"),
    ("deadlines", "default: {}"),
    ("deadlines", "default: {fix_within_days: {}}"),
    ("deadlines", "default: {fix_within_days: {severe: 1}}"),
    ("deadlines", "default: {scan_every_hours: 0}"),
    ("deadlines", "default: {scan_every_hours: often}"),
    ("deadlines", "environments: {' production': {scan_every_hours: 1}}"),
]
# What a schema cannot say: comparisons, the calendar, keys that mean the same, letters that look alike.
REFUSED_BY_THE_LOADER_ALONE = [
    ("waivers", "a: {justification: x, expiration_date: '2027-02-30'}"),
    (
        "waivers",
        "a: {justification: x, requested_by: a, requested: 2026-11-02, approved_by: b, approved: 2026-11-01}",
    ),
    ("attestations", f"[{{{ATTESTED}, approved_by: b, approved: 2026-11-01}}]"),
    ("threshold", "{failed.total.max: 0, failed: {total: {max: 1}}}"),
    ("teams", "namespaces: [{team: 'a  b'}]"),
]


def as_an_editor_reads(value: Any) -> Any:
    """YAML 1.2, which editors read, knows no dates."""
    if isinstance(value, dict):
        return {key: as_an_editor_reads(one) for key, one in value.items()}
    if isinstance(value, list):
        return [as_an_editor_reads(one) for one in value]
    return value.isoformat() if isinstance(value, (datetime.date, datetime.datetime)) else value


def schema_accepts(name: str, text: str) -> bool:
    schema = FILES[name][0]()
    jsonschema.Draft7Validator.check_schema(schema)
    given = as_an_editor_reads(strict_yaml.load_yaml(text, "file", "bad_option"))
    return jsonschema.Draft7Validator(schema).is_valid(given)


def loader_accepts(name: str, text: str) -> bool:
    try:
        FILES[name][1](text, "file")
    except ScanError:
        return False
    return True


@pytest.mark.parametrize(("name", "text"), ACCEPTED)
def test_what_both_accept(name: str, text: str) -> None:
    assert loader_accepts(name, text)
    assert schema_accepts(name, text)


@pytest.mark.parametrize(("name", "text"), REFUSED)
def test_what_both_refuse(name: str, text: str) -> None:
    assert not loader_accepts(name, text)
    assert not schema_accepts(name, text)


@pytest.mark.parametrize(("name", "text"), REFUSED_BY_THE_LOADER_ALONE)
def test_what_the_loader_alone_refuses(name: str, text: str) -> None:
    assert not loader_accepts(name, text)
    assert schema_accepts(name, text)


def test_every_limit_can_be_written_nested_and_dotted() -> None:
    for key, value in (("failed.critical.max", 0), ("reviewed.high.min", 100), ("coverage.min", 1)):
        words = key.split(".")
        for cut in range(1, len(words) + 1):
            given: Any = value
            for part in reversed([".".join(words[:cut]), *words[cut:]]):
                given = {part: given}
            assert jsonschema.Draft7Validator(limits.limits_schema()).is_valid(given), given
