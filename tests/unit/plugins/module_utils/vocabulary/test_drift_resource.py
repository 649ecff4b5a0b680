# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The resource drift: each attribute passes and fails, and nothing passes where a side is not known."""

from __future__ import annotations

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import Fact
from ansible_collections.securescan.kubernetes.plugins.module_utils.judging.evaluation import evaluate
from ansible_collections.securescan.kubernetes.plugins.module_utils.judging.queries import required_queries
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary.evidence import (
    EvaluationContext,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary.registry import RESOURCES

POD = {
    "metadata": {"name": "app", "namespace": "shop"},
    "spec": {"containers": [{"name": "app", "image": "x"}]},
    "status": {
        "containerStatuses": [{"name": "app", "state": {"running": {"startedAt": "1970-01-01T00:16:40Z"}}}]
    },
}


def listing(*entries, unread=()):
    return {
        "place": "/usr",
        "link_target": None,
        "unread": list(unread),
        "entries": [list(entry) for entry in entries],
    }


IMAGE = listing(
    ("/usr/old", "file", 0o755, 0, 0, 5, 1, 1, None),
    ("/usr/kept", "file", 0o755, 0, 0, 5, 1, 1, None),
    ("/usr/still", "file", 0o755, 0, 0, 5, 1, 1, None),
)
LIVE = listing(
    ("/usr/kept", "file", 0o4755, 0, 0, 5, 1, 1, None),
    ("/usr/new", "symlink", 0o777, 0, 0, 5, 1, 1, "x"),
    ("/usr/still", "file", 0o755, 0, 0, 5, 1, 2000, None),
)
MOUNTS = [
    {"mount_point": "/", "fstype": "overlay", "source": "overlay", "options": ["rw"], "root": "/"},
    {"mount_point": "/data", "fstype": "ext4", "source": "x", "options": ["rw"], "root": "/"},
]
FACTS = {"mounts": MOUNTS, "image_listing:/usr": IMAGE, "listing:/usr": LIVE}
CASES = [
    ("paths: /usr", "count: 4", "count: 0"),
    ("paths: /usr", "exist: true", "exist: false"),
    ("paths: /usr", "added: [/usr/new]", "added: {empty: true}"),
    ("paths: /usr", "removed: [/usr/old]", "removed: {empty: true}"),
    ("paths: /usr", "changed: [/usr/kept]", "changed: {none: {matches: kept}}"),
    ("paths: /usr", "touched: [/usr/still]", "touched: []"),
    ("paths: /usr, where: {change: added}", "paths: [/usr/new]", "types: [file]"),
    (
        "paths: /usr, where: {gained_setuid: true}",
        "changes: [changed]",
        "differences: {include_none: [mode]}",
    ),
    ("paths: /usr, where: {differs: {include: mode}}", "gained_setuids: [true]", "executables: [false]"),
    ("paths: /usr, ignore: [/usr/new, /usr/old, /usr/still]", "paths: [/usr/kept]", "exist: false"),
]


@pytest.fixture
def status(load_tests, as_facts):
    def run(params, expectation, facts=None, pod=None):
        profile = load_tests(f"- drift: {{{params}}}\n  expect: {{{expectation}}}")
        context = EvaluationContext({}, pod or POD, "app")
        (control,) = evaluate(profile, as_facts(FACTS if facts is None else facts), context).controls
        (segment,) = control.results
        return segment.status, segment.message or segment.skip_message

    return run


@pytest.mark.parametrize(("params", "holds", "fails"), CASES)
def test_each_attribute_of_drift_passes_and_fails(status, params, holds, fails):
    assert status(params, holds)[0] == "passed"
    assert status(params, fails)[0] == "failed"


def test_every_attribute_is_covered():
    used = {part.split(":")[0] for case in CASES for part in case[1:]}
    assert used == set(RESOURCES["drift"].attributes)


def test_a_failure_says_what_differs(status):
    assert status("paths: /usr, where: {change: {one_of: [changed, touched]}}", "count: 0") == (
        "failed",
        "expected count to equal 0, found 2 below /usr: [/usr/kept changed (mode), /usr/still touched "
        "(ctime)]",
    )


def test_both_sides_and_the_mounts_are_asked_for(load_tests):
    profile = load_tests("- drift: {paths: [/usr, /etc]}\n  expect: {added: {empty: true}}")
    assert [query.key for query in required_queries([profile])] == [
        "mounts",
        "listing:/usr",
        "image_listing:/usr",
        "listing:/etc",
        "image_listing:/etc",
    ]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (
            {"image_listing:/usr": Fact("unreached", cause="no helper_namespace is given")},
            "no helper_namespace is given",
        ),
        ({"listing:/usr": Fact("unsupported", cause="a listing needs find")}, "a listing needs find"),
        (
            {"listing:/usr": Fact("timed_out", cause="it was stopped")},
            "listing:/usr is not known: it was stopped",
        ),
        ({"mounts": Fact("unsupported", cause="there is no /proc")}, "there is no /proc"),
        ({"mounts": [dict(MOUNTS[1], mount_point="/usr")]}, "something is mounted at /usr"),
        (
            {
                "image_listing:/usr": Fact("absent"),
                "listing:/usr": Fact("absent"),
                "mounts": [dict(MOUNTS[1], mount_point="/usr")],
            },
            "something is mounted at /usr",
        ),
    ],
)
def test_without_a_side_nothing_is_said(status, changed, words):
    for expectation in ("count: 0", "count: 4", "added: {empty: true}", "added: [/usr/new]"):
        found, message = status("paths: /usr", expectation, {**FACTS, **changed})
        assert found == "skipped" and words in message


def test_without_the_start_nothing_is_said(status):
    found, message = status("paths: /usr", "count: 0", pod=dict(POD, status={}))
    assert found == "skipped" and "the container's start is not known" in message


def test_what_could_not_be_read_lets_nothing_pass(status):
    some = {
        **FACTS,
        "image_listing:/usr": listing(
            *IMAGE["entries"],
            ("/usr/closed", "directory", 0o700, 0, 0, 1, 1, 1, None),
            unread=["/usr/closed"],
        ),
    }
    some["listing:/usr"] = listing(
        *LIVE["entries"],
        ("/usr/closed", "directory", 0o700, 0, 0, 1, 1, 1, None),
        ("/usr/closed/x", "file", 0o644, 0, 0, 1, 1, 1, None),
    )
    assert status("paths: /usr", "removed: {empty: true}", some)[0] == "failed"
    found, message = status("paths: /usr, where: {type: pipe}", "count: 0", some)
    assert found == "skipped" and "below [/usr/closed] could not be listed" in message
    assert status("paths: /usr, ignore: [/usr/closed], where: {type: pipe}", "count: 0", some)[0] == "passed"


def test_a_place_that_is_on_neither_side_has_no_drift(status):
    assert status(
        "paths: /usr",
        "count: 0",
        {**FACTS, "image_listing:/usr": Fact("absent"), "listing:/usr": Fact("absent")},
    ) == ("passed", "")
