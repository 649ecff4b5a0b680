# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kept facts give the verdicts of the facts that they were made of to who asks the same, and none to who asks more."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import Fact, Facts
from ansible_collections.securescan.kubernetes.plugins.module_utils.engines.builtin import BuiltinEngine
from ansible_collections.securescan.kubernetes.plugins.module_utils.engines.engine import Subject
from ansible_collections.securescan.kubernetes.plugins.module_utils.judging.cases import read_cases
from ansible_collections.securescan.kubernetes.plugins.module_utils.kept.kept_target import (
    keep_target,
    read_kept_target,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.profiles.loader import load_profile
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.identity import Target
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.pod import PodSnapshot
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.selection import SelectedTarget
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as

ROOT = pathlib.Path(__file__).resolve().parents[5]
SHIPPED = [path.parent.name for path in sorted((ROOT / "profiles").glob("*/profile.yml"))]
METHOD = {"run_id": "r", "approach": "exec", "collector_version": "1"}
POD = {
    "metadata": {"name": "p", "namespace": "n", "uid": "u"},
    "status": {},
    "spec": {"containers": [{"name": "app", "image": "i"}]},
}
LINK = {"type": "symlink", "mode": 0o777, "uid": 0, "gid": 0, "size": 9, "mtime": 1, "link_target": "/gone"}
FACTS = {
    "content:/etc/x.conf": Fact("ok", b"[main]\nport = 80\nname = web\npassword = hunter2\nempty =\n"),
    "content:/etc/x.json": Fact(
        "ok", b'{"a": {"b": [1, true], "c": null}, "auths": {"r": {"auth": "HIDDEN"}}}'
    ),
    "content:/etc/bad.json": Fact("ok", b"{HIDDEN"),
    "content:/etc/absent": Fact("absent", cause="there is no such file"),
    "content:/app/node_modules/left-pad/package.json": Fact("ok", b'{"version": "1.3.0", "x": "HIDDEN"}'),
    'command:["id"]': Fact("ok", {"exit_status": 3, "stdout": b"uid=0 HIDDEN\n", "stderr": b""}),
    "environment_value:MODE": Fact("ok", "fast:HIDDEN"),
    "processes": Fact(
        "ok",
        [
            {
                "pid": 1,
                "ppid": 0,
                "uid": 0,
                "gid": 0,
                "state": "S",
                "name": "app",
                "cmdline": ["app", "HIDDEN"],
            },
            {"pid": 7, "ppid": 1, "uid": 5, "gid": 5, "state": "S", "name": "x", "cmdline": []},
        ],
    ),
    "file:/link": Fact("ok", LINK),
    "mounts": Fact(
        "ok",
        [
            {
                "mount_point": "/d",
                "fstype": "fuse",
                "source": "s",
                "root": "/",
                "options": ["rw", "what=HIDDEN"],
            }
        ],
    ),
}
# A test and whether the same question with another operand can be judged by what is kept.
TESTS = [
    ("file: /etc/x.conf", "content: {matches: HIDDEN}", "content: {matches: port}", False),
    ("file: /etc/x.conf", "content: {matches: '^port'}", "content: {matches: '^portx'}", False),
    ("file: /etc/x.conf", "lines: {none: {matches: port}}", "lines: {none: {matches: nothing}}", False),
    ("file: /etc/absent", "content: {matches: a}", "content: {matches: b}", True),
    ("ini: {path: /etc/x.conf, section: main, key: port}", "value: 80", "value: 81", True),
    ("ini: {path: /etc/x.conf, section: main, key: gone}", "value: 80", "value: 81", True),
    ("ini: {path: /etc/x.conf, section: main, key: name}", "exist: true", "exist: false", True),
    ("ini: {path: /etc/x.conf, section: main, key: password}", "value: hunter2", "value: other", False),
    ("ini: {path: /etc/x.conf, section: main, key: password}", "value: x", "value: hunter2", False),
    ("json: {path: /etc/x.json, key: [a, b]}", "value: {include: 1}", "value: {include: 2}", True),
    ("json: {path: /etc/x.json, key: [a, c]}", "value: 1", "value: 2", True),
    ("json: {path: /etc/x.json, key: auths}", "exist: true", "exist: false", True),
    ("json: {path: /etc/x.json, key: auths}", "value: 1", "value: 2", False),
    ("json: {path: /etc/bad.json, key: a}", "value: 1", "value: 2", False),
    ("npm: left-pad", "version: {at_least: '1.0'}", "version: {at_least: '2.0'}", False),
    ("npm: {name: left-pad, path: /app}", "version: 1.3.0", "version: 1.4.0", True),
    ("command: [id]", "exit_status: 0", "exit_status: 1", True),
    ("command: [id]", "stdout: {matches: uid}", "stdout: {matches: gid}", False),
    ("command: [id]", "exist: true", "exist: false", True),
    ("os_env: MODE", "content: quick", "content: 'fast:HIDDEN'", False),
    ("os_env: MODE", "split: {include: fast}", "split: {include: slow}", False),
    ("processes: {where: {command: {matches: HIDDEN}}}", "count: 0", "count: 1", False),
    ("processes: {}", "commands: {none: {matches: app}}", "commands: {none: {matches: xyz}}", False),
    ("processes: {where: {uid: 0}}", "names: [app]", "names: [x]", True),
    ("file: /link", "link_target: /somewhere", "link_target: /gone", False),
    ("file: /link", "type: symlink", "type: file", True),
    ("mount: /d", "options: {include: ro}", "options: {include_none: ['what=HIDDEN']}", False),
    ("mount: /d", "type: fuse", "type: ext4", True),
]


def selected_of(pod: Any = None, container: str = "app") -> SelectedTarget:
    pod = pod or POD
    metadata = pod["metadata"]
    target = Target(
        cluster="c",
        namespace=metadata["namespace"],
        workload_kind="Pod",
        workload=metadata["name"],
        pod=metadata["name"],
        pod_uid=metadata["uid"],
        container=container,
    )
    return SelectedTarget(target, PodSnapshot.from_object(pod))


def profile_of(folder: pathlib.Path, *tests: tuple[str, str], name: str = "p") -> Any:
    lines = [f"name: {name}", "title: T", "version: 1.0.0", "controls:"]
    for number, (resource, expect) in enumerate(tests):
        lines += [f"  - id: c-{number}", "    title: T", "    impact: high", "    tests:"]
        lines += [f"      - {resource}", f"        expect: {{{expect}}}"]
    file = folder / f"{name}.yml"
    file.write_text("\n".join(lines) + "\n")
    return load_profile(str(file), [], {})


def kept_and_back(profile: Any, subject: Subject) -> tuple[str, Subject]:
    """The file, and what is read back of it."""
    asked = BuiltinEngine([profile]).asked(subject)
    text = json.dumps(keep_target(subject.selected, subject.facts, asked, METHOD, "2026-01-01"))
    back = read_kept_target(text.encode(), "x.json")
    return text, Subject(back.selected, back.facts)


def test_the_words_of_a_kept_pod_are_read_of_kept_pods_alone(tmp_path: pathlib.Path) -> None:
    profile = profile_of(tmp_path, ("container: {}", "literal_secrets: {none_outside: []}"))
    pod = {
        "metadata": {"name": "p", "namespace": "n", "uid": "u"},
        "spec": {
            "containers": [
                {
                    "name": "app",
                    "env": [
                        {"name": "A", "value": "(not kept)"},
                        {"name": "DB_PASSWORD", "value": "hunter2"},
                        {"name": "DB_TOKEN", "value": "(not kept: no secret)"},
                    ],
                }
            ]
        },
    }
    live = Subject(selected_of(pod), Facts({}))
    _text, kept = kept_and_back(profile, live)
    assert "found [DB_PASSWORD, DB_TOKEN]" in verdicts(profile, live)["c-0"][1][0][2]
    assert verdicts(profile, kept) == verdicts(profile, live)


def verdicts(profile: Any, subject: Subject) -> dict[str, Any]:
    """Control -> all that is said of its tests, but for the times."""
    (result,) = BuiltinEngine([profile]).judge(subject).results
    return {
        control.id: (
            control.impact,
            [(one.status, one.code_desc, one.message, one.skip_message) for one in control.results],
        )
        for control in result.controls
    }


def statuses(profile: Any, subject: Subject) -> list[str]:
    return [segments[0][0] for _impact, segments in verdicts(profile, subject).values()]


def test_the_same_questions_have_the_same_answers_word_for_word(tmp_path: pathlib.Path) -> None:
    profile, subject = (
        profile_of(tmp_path, *[test[:2] for test in TESTS]),
        Subject(selected_of(), Facts(FACTS)),
    )
    before = verdicts(profile, subject)
    assert {status for _impact, ((status, *_rest),) in before.values()} == {"passed", "failed", "skipped"}
    _text, back = kept_and_back(profile, subject)
    assert verdicts(profile, back) == before


@pytest.mark.parametrize(("resource", "expect", "other", "is_known"), TESTS)
def test_another_question_is_answered_by_what_was_kept_or_not_at_all(
    tmp_path: pathlib.Path, resource: str, expect: str, other: str, is_known: bool
) -> None:
    subject = Subject(selected_of(), Facts(FACTS))
    text, back = kept_and_back(profile_of(tmp_path, (resource, expect)), subject)
    profile = profile_of(tmp_path, (resource, other), name="other")
    (was,), (status,) = statuses(profile, subject), statuses(profile, back)
    assert status == (was if is_known else "skipped")
    if not is_known and was != "skipped":
        assert "it was not kept" in json.dumps(verdicts(profile, back))
    assert "hunter2" not in text or "hunter2" in expect


def test_what_nobody_asked_for_is_not_in_the_file(tmp_path: pathlib.Path) -> None:
    profile = profile_of(tmp_path, ("file: /link", "exist: true"), ("processes: {}", "count: 2"))
    text, _back = kept_and_back(profile, Subject(selected_of(), Facts(FACTS)))
    kept = json.loads(text)
    assert "HIDDEN" not in text
    assert "SElEREVO" not in text, "base64 of HIDDEN"
    assert "/gone" not in text
    assert kept["answers"] == {}
    assert {
        key: fact["status"] for key, fact in kept["facts"].items() if fact["status"] == "withheld"
    }.keys() == {
        key
        for key in FACTS
        if key.split(":")[0] in ("content", "command", "environment_value") and "absent" not in key
    }


def test_nothing_passes_when_nobody_asked(tmp_path: pathlib.Path) -> None:
    """The questions as they are and turned round, of facts that were kept for none of them."""
    nobody, subject = (
        profile_of(tmp_path, ("os: {}", "name: debian"), name="nobody"),
        Subject(selected_of(), Facts(FACTS)),
    )
    _text, back = kept_and_back(nobody, subject)
    tests = [(resource, expect) for resource, *both, _known in TESTS for expect in both]
    tests += [
        (resource, "{}: {{not: {}}}".format(*expect.split(": ", 1)))
        for resource, expect in tests
        if "{" not in expect
    ]
    profile = profile_of(tmp_path, *tests)
    before, after = statuses(profile, subject), statuses(profile, back)
    assert "passed" in before and "failed" in before
    changed = [(now, was) for was, now in zip(before, after) if now != was]
    assert {now for now, _was in changed} == {"skipped"}
    assert len(changed) > 30
    (now,) = {"not_reviewed" if now == "skipped" else now for now, _was in changed}
    attack_ends_as("14-asks-for-more", outcome=now)


def test_a_sensitive_input_leaves_no_answer_behind(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "p.yml"
    file.write_text(
        "name: p\ntitle: T\nversion: 1.0.0\ninputs: [{name: k, type: string, sensitive: true, required: true}]\n"
        "controls: [{id: c, title: T, impact: high, tests: [{file: /etc/x.conf, expect: {content: {include: '${input.k}'}}}]}]\n"
    )
    profile = load_profile(str(file), [], {"k": "port"})
    subject = Subject(selected_of(), Facts(FACTS))
    assert statuses(profile, subject) == ["passed"]
    text, back = kept_and_back(profile, subject)
    assert json.loads(text)["answers"] == {}
    assert statuses(profile, back) == ["skipped"]


@pytest.mark.parametrize("name", SHIPPED)
def test_kept_facts_of_the_cases_of_shipped_profiles_give_the_same_verdicts(name: str) -> None:
    file = ROOT / "profiles" / name / "profile.yml"
    seen = set()
    for case in read_cases(file):
        profile = load_profile(str(file), [], dict(case.inputs))
        facts, selected = (
            case.given_facts(),
            selected_of(case.pod, case.container) if case.pod else selected_of(),
        )
        if case.kept_facts is not None:
            kept = read_kept_target(case.kept_facts.read_bytes(), str(case.kept_facts))
            facts, selected = kept.facts.overlaid(facts.by_key), kept.selected
        subject = Subject(selected, facts)
        before = verdicts(profile, subject)
        assert verdicts(profile, kept_and_back(profile, subject)[1]) == before, case.name
        seen |= {status for _impact, segments in before.values() for status, *_rest in segments}
    assert {"passed", "failed"} <= seen
