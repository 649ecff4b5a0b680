# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of profiles: cases over inline and kept facts, what a failed one says, and how a slip in a case is answered."""

from __future__ import annotations

import json

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import Fact, Facts
from ansible_collections.securescan.kubernetes.plugins.module_utils.engines.engine import Subject
from ansible_collections.securescan.kubernetes.plugins.module_utils.engines.registry import engines_for
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.kept.kept_target import keep_target
from ansible_collections.securescan.kubernetes.plugins.module_utils.profiles.loader import load_profile
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.identity import Target
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.pod import PodSnapshot
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.selection import SelectedTarget
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.profile import run_scan_profile

PROFILE = """\
name: mine
title: Mine
version: 1.0.0
inputs:
  - {name: mode, type: string, value: "0644"}
controls:
  - {id: m-mode, title: M, impact: low, tests: [{file: /x, expect: {mode: {no_wider_than: "${input.mode}"}}}]}
  - id: m-text
    title: T
    impact: low
    only_if: {reason: there is one, tests: [{file: /x, expect: {exist: true}}]}
    tests: [{file: /x, expect: {content: {matches: "^ok$"}}}]
  - {id: m-pod, title: P, impact: low, tests: [{container: {}, expect: {privileged: false}}]}
  - {id: m-hand, title: H, impact: low, manual: true, check: Look}
"""
CASES = """\
cases:
  - name: it is as it should be
    facts:
      file:/x: {value: {type: file, mode: "0600", uid: 0, gid: 0, size: 3, mtime: 1, link_target: null}}
      content:/x: {value: {text: "ok\\n"}}
    pod: {spec: {containers: [{name: app, image: i}]}}
    container: app
    expect: {passed: [m-mode, m-text, m-pod], not_reviewed: [m-hand]}
  - name: it is not there
    facts: {file:/x: {status: absent}}
    expect:
      failed: [m-mode]
      not_applicable: [m-text]
      not_reviewed: [m-pod]
"""
FILE = {"type": "file", "mode": 0o666, "uid": 0, "gid": 0, "size": 9, "mtime": 1, "link_target": None}


@pytest.fixture
def mine(tmp_path):
    (tmp_path / "mine" / "tests").mkdir(parents=True)
    (tmp_path / "mine" / "profile.yml").write_text(PROFILE)
    return tmp_path / "mine"


@pytest.fixture
def run_tests_of(mine):
    """Run the profile's tests with the text of its one file of cases."""

    def run(text, **inputs):
        if text is not None:
            (mine / "tests" / "a.yml").write_text(text)
        return run_scan_profile(
            {"profiles": [str(mine)], "inputs": inputs, "tests": True}, TaskContext(False, {})
        )

    return run


def test_cases_over_inline_facts(run_tests_of):
    result = run_tests_of(CASES)
    assert result["tests"] == [
        {"profile": "mine", "cases": 2, "expectations": 7, "failures": [], "untested": []}
    ]
    assert [profile["name"] for profile in result["profiles"]] == ["mine"]
    assert "failed" not in result


def test_what_was_not_met_is_said_with_place_status_and_message(run_tests_of, mine):
    result = run_tests_of(
        CASES.replace("passed: [m-mode, ", "passed: [").replace("failed: [m-mode]", "passed: [m-mode]")
    )
    assert result["failed"] is True
    (failure,) = result["tests"][0]["failures"]
    message = "expected mode no wider than 0644, found nothing at /x: it does not exist"
    assert failure == {
        "place": "%s:12" % (mine / "tests" / "a.yml"),
        "case": "it is not there",
        "control": "m-mode",
        "expected": "passed",
        "found": "failed",
        "message": message,
    }
    assert result["error"]["reason"] == "profile_tests_failed"
    assert result["msg"].startswith(
        "1 of 6 expectations are not met: {}: case 'it is not there': control 'm-mode' is failed, "
        "expected passed: {}".format(failure["place"], message)
    )


def test_inputs_of_a_case_go_before_those_of_the_task(run_tests_of):
    facts = (
        "    facts: {file:/x: {value: {type: file, mode: 420, uid: 0, gid: 0, size: 3, mtime: 1, "
        "link_target: null}}}\n"
    )
    text = "cases:\n  - name: a\n%s%s    expect: {%s: [m-mode]}\n"
    assert "failed" not in run_tests_of(text % (facts, "", "passed"))
    assert "failed" not in run_tests_of(text % (facts, "", "failed"), mode="0600")
    assert "failed" not in run_tests_of(text % (facts, '    inputs: {mode: "0644"}\n', "passed"), mode="0600")
    with pytest.raises(ScanError, match="unknown input 'mod', did you mean 'mode'"):
        run_tests_of(None, mod="0600")


def test_what_no_case_names_is_told(run_tests_of):
    (tests,) = run_tests_of(
        "cases: [{name: a, facts: {file:/x: {status: absent}}, expect: {failed: [m-mode]}}]\n"
    )["tests"]
    assert tests["untested"] == ["m-text", "m-pod", "m-hand"]


def test_controls_of_others_that_a_profile_takes_over_are_not_untested(mine, run_tests_of):
    base = mine.parent / "base"
    base.mkdir()
    (base / "profile.yml").write_text(PROFILE.replace("name: mine", "name: base").replace("m-", "b-"))
    profile = (mine / "profile.yml").read_text()
    (mine / "profile.yml").write_text(
        profile.replace("controls:", "depends: [{path: ../base, name: base}]\ncontrols:", 1)
    )
    (tests,) = run_tests_of(
        "cases: [{name: a, facts: {file:/x: {status: absent}}, expect: {failed: [m-mode]}}]\n"
    )["tests"]
    assert tests["untested"] == ["m-text", "m-pod", "m-hand"]


@pytest.fixture
def kept(mine):
    """A file of kept facts beside the cases, as a run leaves it."""
    pod = {
        "metadata": {"name": "p", "namespace": "n", "uid": "u"},
        "status": {},
        "spec": {"containers": [{"name": "app", "image": "i", "securityContext": {"privileged": True}}]},
    }
    target = Target(
        cluster="c", namespace="n", workload_kind="Pod", workload="p", pod="p", pod_uid="u", container="app"
    )
    facts = Facts({"file:/x": Fact("ok", FILE), "content:/x": Fact("ok", b"ok\n")}, {"version": "1"})
    selected = SelectedTarget(target, PodSnapshot.from_object(pod))
    (engine,) = engines_for([load_profile(str(mine / "profile.yml"), [], {})])
    asked = engine.asked(Subject(selected, facts))
    content = keep_target(selected, facts, asked, {"approach": "exec"}, "2026-01-01")
    path = mine / "tests" / "kept.json"
    path.write_text(json.dumps(content))
    return path


def test_kept_facts_and_others_laid_over_them(run_tests_of, kept):
    text = """\
cases:
  - {name: kept, kept_facts: kept.json, expect: {failed: [m-mode, m-pod], passed: [m-text]}}
  - name: changed
    kept_facts: kept.json
    facts: {content:/x: {status: unreadable, cause: no permission}}
    expect: {failed: [m-mode], not_reviewed: [m-text]}
"""
    assert "failed" not in run_tests_of(text)


def test_a_profile_that_does_not_support_the_target_judges_nothing(run_tests_of, mine):
    (mine / "profile.yml").write_text(
        PROFILE.replace("controls:\n", "supports: [{platform-name: debian}]\ncontrols:\n")
    )
    system = "{value: {name: alpine, family: alpine, release: '3', arch: x}}"
    text = f"cases: [{{name: a, facts: {{os: {system}}}, expect: {{passed: [m-pod]}}}}]"
    (failure,) = run_tests_of(text)["tests"][0]["failures"]
    assert (failure["found"], failure["message"]) == (
        "not judged",
        "Skipping profile: 'mine': the platform alpine 3 is not supported.",
    )


def case(line):
    """One case in flow style, as line 2 of a file."""
    return f"cases:\n  - {{name: a, {line}}}\n"


BROKEN = {
    "empty file": ("", 1, "the file is empty"),
    "other key": ("case: []\n", 1, "a file of cases: unknown key 'case', did you mean 'cases'?"),
    "no cases": ("cases: []\n", 1, "cases: found an empty list"),
    "case key": (case("fact: {}, expect: {}"), 2, "a case: unknown key 'fact', did you mean 'facts'?"),
    "no expect": (case("facts: {}"), 2, "a case: the key 'expect' is missing"),
    "nothing to judge": (case("expect: {passed: [m-pod]}"), 2, "case 'a': it has nothing to judge"),
    "expects nothing": (case("facts: {}, expect: {}"), 2, "case 'a': it expects nothing"),
    "status": (
        case("facts: {}, expect: {pass: [m-pod]}"),
        2,
        "case 'a': expect: unknown key 'pass', did you mean 'passed'?",
    ),
    "ids no list": (
        case("facts: {}, expect: {passed: m-pod}"),
        2,
        "expect passed: found text 'm-pod'; expected a list",
    ),
    "control twice": (
        case("facts: {}, expect: {passed: [m-pod], failed: [m-pod]}"),
        2,
        "control 'm-pod' stands here for the",
    ),
    "unknown control": (
        case("facts: {}, expect: {passed: [m-pot]}"),
        2,
        "unknown control 'm-pot', did you mean 'm-pod'?",
    ),
    "unknown input": (
        case("facts: {}, inputs: {mod: x}, expect: {passed: [m-pod]}"),
        2,
        "unknown input 'mod'",
    ),
    "input of wrong type": (
        case("facts: {}, inputs: {mode: 5}, expect: {passed: [m-pod]}"),
        2,
        "case 'a': The input 'mode' of the profile 'mine' was given as number 5",
    ),
    "unknown fact": (
        case("facts: {file:/y: {status: absent}}, expect: {passed: [m-pod]}"),
        2,
        "unknown fact 'file:/y', did you mean 'file:/x'? Expected one of the profile's [file:/x, content:/x]",
    ),
    "fact no mapping": (
        case("facts: {file:/x: true}, expect: {passed: [m-pod]}"),
        2,
        "the fact file:/x: found boolean true",
    ),
    "fact without value": (
        case("facts: {file:/x: {}}, expect: {passed: [m-pod]}"),
        2,
        "file:/x is ok, but has no value",
    ),
    "fact status": (
        case("facts: {file:/x: {status: gone}}, expect: {passed: [m-pod]}"),
        2,
        "the fact file:/x must have status",
    ),
    "fact bytes": (
        case("facts: {content:/x: {value: {base64: '!'}}}, expect: {passed: [m-pod]}"),
        2,
        "that are not base64",
    ),
    "pod without container": (
        case("pod: {}, expect: {passed: [m-pod]}"),
        2,
        "case 'a': found one of pod and container",
    ),
    "pod beside kept": (
        case("kept_facts: k.json, pod: {}, container: x, expect: {passed: [m-pod]}"),
        2,
        "case 'a': found a pod beside kept_facts",
    ),
    "kept missing": (
        case("kept_facts: nowhere.json, expect: {passed: [m-pod]}"),
        2,
        "nowhere.json cannot be read: No such file",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_case_is_refused_at_its_line(run_tests_of, name):
    text, line, problem = BROKEN[name]
    with pytest.raises(ScanError) as caught:
        run_tests_of(text)
    assert caught.value.reason == "bad_profile"
    assert f"/mine/tests/a.yml:{line}: " in caught.value.message
    assert problem in caught.value.message


def test_a_file_of_kept_facts_that_is_none(run_tests_of, mine):
    (mine / "tests" / "k.json").write_text("{}")
    with pytest.raises(ScanError, match=r"a\.yml:2: case 'a': .*k\.json: is not of the format of kept facts"):
        run_tests_of(case("kept_facts: k.json, expect: {passed: [m-pod]}"))


def test_a_profile_without_tests_is_an_error(run_tests_of, mine):
    with pytest.raises(ScanError, match=r"profile\.yml:1: the profile has no tests") as caught:
        run_tests_of(None)
    assert caught.value.reason == "bad_profile"
    (mine / "tests" / "a.yaml").write_text(CASES)
    with pytest.raises(ScanError, match=r"a\.yaml:1: found a file that is neither \.yml nor \.json"):
        run_tests_of(None)
