# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for all shipped profiles: they are found by name, documented, tagged from known sources, and fast."""

from __future__ import annotations

import re
import statistics
import time
from pathlib import Path

import pytest
import yaml
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import Fact, Facts
from ansible_collections.securescan.kubernetes.plugins.module_utils.judging.evaluation import evaluate
from ansible_collections.securescan.kubernetes.plugins.module_utils.judging.queries import required_queries
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.profile import (
    chosen_profiles,
    run_scan_profile,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary.evidence import (
    EvaluationContext,
)

ROOT = Path(__file__).resolve().parents[5]
SOURCES = yaml.safe_load((ROOT / "profiles" / "mapping_sources.yml").read_text(encoding="utf-8"))
PREFIXES = {"container-baseline": "cb-", "container-drift": "cd-", "workload-baseline": "wb-"}
ALL = chosen_profiles(list(PREFIXES))
CONTROLS = [
    pytest.param(profile, control, id=control["id"]) for profile in ALL for control in profile.controls
]


def tag_values(control, name):
    values = control["tags"].get(name, [])
    return values if isinstance(values, list) else [values]


def test_all_shipped_profiles_are_looked_at():
    assert [profile.name for profile in ALL] == sorted(
        path.parent.name for path in (ROOT / "profiles").glob("*/profile.yml")
    )
    ids = [control["id"] for profile in ALL for control in profile.controls]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(("profile", "control"), CONTROLS)
def test_every_control_is_documented(profile, control):
    assert control["id"].startswith(PREFIXES[profile.name])
    assert set(control["descriptions"]) == {"rationale", "check", "fix"}
    texts = [control["title"], control["desc"], *control["descriptions"].values()]
    assert len(set(texts)) == 5
    assert all(texts)
    assert not control["manual"]


@pytest.mark.parametrize(("profile", "control"), CONTROLS)
def test_every_tag_has_its_source(profile, control):
    tags = control["tags"]
    assert {"cci", "nist", "nist_800_190"} <= set(tags) <= set(SOURCES)
    for name in tags:
        values = tag_values(control, name)
        assert len(set(values)) == len(values)
        if name != "nist":
            assert set(values) <= set(SOURCES[name]["items"]), name
    # AC-6 (10), CM-7 a and IA-5 (1) (d) are written AC-6(10), CM-7 and IA-5(1): a control or one of its enhancements
    items = [
        re.match(r"([A-Z]{2}-[0-9]+)(?: (\([0-9]+\)))?", SOURCES["cci"]["items"][cci]) for cci in tags["cci"]
    ]
    assert set(tags["nist"]) == {item.group(1) + (item.group(2) or "") for item in items}


def test_no_source_names_what_no_control_uses():
    for name, source in SOURCES.items():
        assert set(source) >= {"source", "url"}
        used = {
            value for profile in ALL for control in profile.controls for value in tag_values(control, name)
        }
        assert used == set(source.get("items", used)), name


@pytest.mark.parametrize("profile", ALL, ids=lambda profile: profile.name)
def test_impacts_spread_over_all_severities(profile):
    assert {control["impact"] for control in profile.controls} == {0.1, 0.4, 0.7, 0.9}


@pytest.mark.parametrize("profile", ALL, ids=lambda profile: profile.name)
def test_every_input_is_used_and_described(profile):
    source = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "profiles" / profile.name).rglob("*.yml")
    )
    for entry in profile.inputs:
        assert entry["description"]
        assert "${{input.{}}}".format(entry["name"]) in source, entry["name"]


@pytest.mark.parametrize("profile", ALL, ids=lambda profile: profile.name)
def test_its_own_tests_pass_and_name_every_control(profile):
    result = run_scan_profile(
        {"profiles": [profile.name], "inputs": {}, "tests": True}, TaskContext(False, {})
    )
    assert "failed" not in result, result["msg"]
    (tests,) = result["tests"]
    assert tests["expectations"] > len(profile.controls)
    assert (tests["failures"], tests["untested"]) == ([], [])


def test_both_profiles_are_judged_within_milliseconds():
    """Both profiles over one target; the goal is 2 ms on an idle machine, the limit here is for a busy one."""
    facts = Facts({query.key: Fact("absent", cause="") for query in required_queries(ALL)})
    context = EvaluationContext(
        {},
        {
            "metadata": {"name": "x", "namespace": "y"},
            "spec": {"containers": [{"name": "app", "image": "app"}]},
        },
        "app",
    )
    rounds = []
    for _round in range(50):
        begun = time.process_time()
        for profile in ALL:
            evaluate(profile, facts, context)
        rounds.append((time.process_time() - begun) * 1000)
    print(f"both profiles: {statistics.median(rounds):.2f} ms (median of 50), {min(rounds):.2f} ms at best")
    assert min(rounds) < 5
