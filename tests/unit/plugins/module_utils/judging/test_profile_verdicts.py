# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From tests to verdicts: nothing passes by absence, and nothing ends the run."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import (
    STATUSES,
    Fact,
    Facts,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.judging import evaluation
from ansible_collections.securescan.kubernetes.plugins.module_utils.judging.evaluation import evaluate
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.hdf import hdf_control
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.status import control_status
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary.evidence import (
    EvaluationContext,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary.registry import RESOURCES
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as

STAT = {"type": "file", "mode": 0o644, "uid": 0, "gid": 0, "size": 5, "mtime": 0, "link_target": None}
TWO = "- file: /a\n  expect: {uid: 0}\n- file: /b\n  expect: {uid: 0}"
CONTEXT = EvaluationContext({}, {}, "app")


@pytest.mark.parametrize("status", [status for status in STATUSES if status not in ("ok", "absent")])
def test_a_missing_fact_skips_the_test_and_says_why(verdict, status):
    assert verdict(
        "- file: /a\n  expect: {uid: 0}", {"file:/a": Fact(status, cause="Permission denied")}
    ) == ("skipped", "file:/a is not known: Permission denied.")
    assert verdict("- file: /a\n  expect: {uid: {not: 0}}", {"file:/a": Fact(status)}) == (
        "skipped",
        f"file:/a is not known: {status}.",
    )
    assert verdict("- file: /a\n  expect: {exist: false}", {"file:/a": Fact(status)})[0] == "skipped"


def test_a_fact_that_was_never_collected_skips_the_test(verdict):
    assert verdict("- users: {}\n  expect: {count: 0}") == (
        "skipped",
        "passwd is not known: this fact was not collected.",
    )


def test_passes_are_withheld_while_another_test_is_skipped(judge):
    """Readers of HDF count a control with one passed and one skipped segment as passed."""
    passed, skipped = judge(TWO, {"file:/a": STAT, "file:/b": Fact("unreadable", cause="no right")}).results
    assert skipped.skip_message == "file:/b is not known: no right."
    assert (passed.status, passed.message) == ("skipped", "")
    assert passed.skip_message == (
        "Passed, but withheld: the control is incomplete because file:/b is not known: no right."
    )


def test_a_failure_is_a_failure_whatever_is_missing(judge):
    results = judge(
        TWO + "\n- file: /c\n  expect: {uid: 0}",
        {"file:/a": STAT, "file:/b": Fact("timed_out"), "file:/c": dict(STAT, uid=7)},
    ).results
    assert [segment.status for segment in results] == ["passed", "skipped", "failed"]


def test_without_a_missing_fact_nothing_is_withheld(judge):
    assert [segment.status for segment in judge(TWO, {"file:/a": STAT, "file:/b": STAT}).results] == [
        "passed"
    ] * 2


@pytest.mark.parametrize(
    ("expectation", "status"),
    [
        ("{exist: true}", "failed"),
        ("{exist: false}", "passed"),
        ("{uid: 0}", "failed"),
        ('{mode: {no_wider_than: "0777"}}', "failed"),
        ("{type: {empty: true}}", "failed"),
        ("{lines: {none: {matches: x}}}", "failed"),
        ("{content: {matches: x}}", "failed"),
        ("{setuid: false}", "failed"),
        # What only forbids holds for a thing that is not there, as it does for nil in InSpec.
        ("{content: {not: {matches: x}}}", "passed"),
        ("{uid: {not: 0}}", "passed"),
        ('{mode: {not: "0777"}}', "passed"),
    ],
)
def test_a_file_that_is_absent(verdict, expectation, status):
    key = "content:/a" if "content" in expectation or "lines" in expectation else "file:/a"
    found, message = verdict(f"- file: /a\n  expect: {expectation}", {key: Fact("absent")})
    assert found == status, message
    if status == "failed" and "exist" not in expectation:
        assert message.endswith("found nothing at /a: it does not exist")


def test_absence_of_a_whole_database_is_an_empty_table(verdict):
    absent = {"passwd": Fact("absent", cause="No such file")}
    assert (
        verdict("- users: {where: {uid: 0}}\n  expect: {names: {none_outside: [root]}}", absent)[0]
        == "passed"
    )
    assert verdict("- users: {where: {uid: 0}}\n  expect: {names: [root]}", absent)[0] == "failed"
    assert verdict("- user: root\n  expect: {exist: false}", absent)[0] == "passed"
    assert verdict("- user: root\n  expect: {uid: 0}", absent)[1].endswith(
        "found nothing in /etc/passwd: No such file"
    )


# -- lists that were cut short ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expectation", "status"),
    [
        # what was seen breaks the rule already: more of the list cannot mend it
        ("{paths: {none_outside: [/a]}}", "failed"),
        ("{paths: {include_none: [/b]}}", "failed"),
        ("{paths: {none: {matches: b}}}", "failed"),
        ("{paths: {each: {matches: a}}}", "failed"),
        ("{paths: {empty: true}}", "failed"),
        ("{count: {at_most: 1}}", "failed"),
        ("{count: {less_than: 2}}", "failed"),
        ("{count: 1}", "failed"),
        ("{count: 0}", "failed"),
        ("{exist: false}", "failed"),
        # what was seen keeps the rule, but the rest may break it
        ("{paths: {none_outside: [/a, /b]}}", "skipped"),
        ("{paths: {include_none: [/c]}}", "skipped"),
        ("{paths: {none: {matches: c}}}", "skipped"),
        ("{paths: {each: {matches: /}}}", "skipped"),
        ("{paths: {unique: true}}", "skipped"),
        ("{count: {at_most: 2}}", "skipped"),
        ("{count: 2}", "skipped"),
        # what was seen breaks the rule, but the rest may mend it
        ("{paths: {include: /c}}", "skipped"),
        ("{paths: {any: {matches: c}}}", "skipped"),
        ("{paths: {include_any: [/c]}}", "skipped"),
        ("{paths: [/a]}", "skipped"),
        ("{paths: {empty: false}}", "skipped"),
        ("{count: {at_least: 3}}", "skipped"),
        ("{count: 3}", "skipped"),
        ("{paths: {not: {include: /a}}}", "skipped"),
        # one that was seen is enough to know
        ("{exist: true}", "passed"),
    ],
)
def test_a_partial_walk_can_fail_but_never_pass(verdict, expectation, status):
    found = {"entries": [{"path": "/a"}, {"path": "/b"}], "complete": False, "unreadable": 3}
    for fact in (
        Fact("unreadable", found, "3 places"),
        Fact("timed_out", found, "3 places"),
        Fact("too_large", found, "3 places"),
    ):
        outcome, message = verdict(
            f"- file_search: {{path: /, match: setuid}}\n  expect: {expectation}",
            {"walk:/[match=setuid]": fact},
        )
        assert outcome == status, message
        if status == "skipped":
            assert message == "walk:/[match=setuid] is not known: 3 places."


def test_a_partial_walk_that_found_nothing_says_nothing(verdict):
    found = Fact("timed_out", {"entries": [], "complete": False, "unreadable": 0}, "stopped")
    for expectation in (
        "{exist: false}",
        "{exist: true}",
        "{count: 0}",
        "{paths: {empty: true}}",
        "{paths: []}",
    ):
        assert (
            verdict(
                f"- file_search: {{path: /, match: setuid}}\n  expect: {expectation}",
                {"walk:/[match=setuid]": found},
            )[0]
            == "skipped"
        )


# -- only_if, manual, impact ------------------------------------------------------------------------------------------

ONLY_IF = (
    "only_if: {reason: where there is a user database, tests: [{file: /etc/passwd, expect: {exist: true}}]}"
)


def test_a_control_that_does_not_apply(judge):
    control = judge("- file: /a\n  expect: {uid: 0}", {"file:/etc/passwd": Fact("absent")}, more=ONLY_IF)
    (segment,) = control.results
    assert (control.impact, segment.status) == (0.0, "skipped")
    assert segment.skip_message == (
        "Not applicable: applies where there is a user database (expected File /etc/passwd "
        "to exist, found that it does not)."
    )


def test_a_control_that_applies(judge):
    control = judge(
        "- file: /a\n  expect: {uid: 0}", {"file:/etc/passwd": STAT, "file:/a": STAT}, more=ONLY_IF
    )
    assert (control.impact, [segment.status for segment in control.results]) == (0.4, ["passed"])


def test_whether_a_control_applies_may_be_unknown(judge):
    control = judge(
        "- file: /a\n  expect: {uid: 0}",
        {"file:/etc/passwd": Fact("timed_out", cause="too slow"), "file:/a": STAT},
        more=ONLY_IF,
    )
    (segment,) = control.results
    assert (control.impact, segment.status) == (0.4, "skipped")
    assert segment.skip_message == (
        "Not reviewed: whether this control applies could not be decided: file:/etc/passwd "
        "is not known: too slow."
    )


def test_a_manual_control_asks_for_a_human(load):
    profile = load(
        "name: s\ntitle: s\nversion: 1.0.0\ncontrols:\n"
        "  - {id: a, title: Look, impact: low, manual: true, check: Look at it}\n"
    )
    (control,) = evaluate(profile, Facts(), CONTEXT).controls
    (segment,) = control.results
    assert control.manual
    assert (segment.status, segment.code_desc, segment.skip_message) == ("skipped", "Look", evaluation.MANUAL)
    assert "attestation" in evaluation.MANUAL


# -- supports ---------------------------------------------------------------------------------------------------------

DEBIAN = {"name": "debian", "family": "debian", "release": "12.5", "arch": "x86_64", "pretty": "Debian 12"}


@pytest.mark.parametrize(
    ("supports", "supported"),
    [
        ("[{platform: linux}]", True),
        ("[{platform: debian}]", True),
        ("[{platform-name: debian, release: 12.*}]", True),
        ("[{platform-family: debian, release: '12.5'}]", True),
        ("[{platform-name: debian, release: 11.*}]", False),
        ("[{platform: alpine}]", False),
        ("[{platform: alpine}, {platform-family: debian}]", True),
        ("[{platform-family: redhat}]", False),
        ("[{platform-family: linux}]", True),
        ("[{platform-family: unix}]", True),
        ("[{platform-family: os}]", True),
        ("[{platform-family: windows}]", False),
        ("[{platform-family: linux, platform-name: alpine}]", False),
        ("[{platform-family: linux, release: 12.*}]", True),
        ("[{os-family: linux}]", True),
        ("[{os_family: debian}]", True),
        ("[{os-family: redhat}]", False),
        ("[{os-name: debian}]", True),
        ("[{os: linux}]", True),
        ("[{os: debian}]", True),
        ("[{os: alpine}]", False),
        ("[{platform: os}]", True),
        ("[{platform: unix}]", True),
        ("[{platform: windows}]", False),
        ("[{platform-name: deb*}]", True),
        ("[{platform_name: '*ian'}]", True),
        ("[{platform-name: win*}]", False),
        ("[{platform-name: linux}]", False),
        ("[{release: '*.5'}]", True),
        ("[{release: '1*.5'}]", True),
        ("[{release: '12'}]", False),
        ("[{release: '*'}]", True),
    ],
)
def test_a_profile_is_skipped_on_a_platform_that_it_does_not_support(load, supports, supported):
    profile = load(
        f"name: s\ntitle: s\nversion: 1.0.0\nsupports: {supports}\n"
        "controls: [{id: a, title: t, impact: low, manual: true, check: x}]\n"
    )
    result = evaluate(profile, Facts({"os": Fact("ok", DEBIAN)}), CONTEXT)
    assert (result.status, len(result.controls)) == (("loaded", 1) if supported else ("skipped", 0))
    if not supported:
        assert result.status_message == "Skipping profile: 's': the platform debian 12.5 is not supported."


@pytest.mark.parametrize(
    ("system", "family", "supported"),
    [
        ("redhat", "redhat", True),
        ("redhat", "fedora", False),
        ("fedora", "fedora", True),
        ("alpine", "linux", True),
        ("alpine", "unix", True),
        ("opensuse", "suse", True),
        ("opensuse", "debian", False),
    ],
)
def test_a_family_is_one_of_the_whole_line_of_families(load, system, family, supported):
    nearest = {"redhat": "redhat", "fedora": "fedora", "alpine": "linux", "opensuse": "suse"}[system]
    profile = load(
        f"name: s\ntitle: s\nversion: 1.0.0\nsupports: [{{platform-family: {family}}}]\n"
        "controls: [{id: a, title: t, impact: low, manual: true, check: x}]\n"
    )
    found = {"name": system, "family": nearest, "release": "9", "arch": None, "pretty": system}
    result = evaluate(profile, Facts({"os": Fact("ok", found)}), CONTEXT)
    assert (result.status == "loaded") is supported


@pytest.mark.parametrize(
    "supports", ["{platform-family: linux}", "{os-family: unix}", "{platform: os}", "{os: linux}"]
)
def test_what_every_container_is_needs_no_fact(load, supports):
    profile = load(
        f"name: s\ntitle: s\nversion: 1.0.0\nsupports: [{supports}]\n"
        "controls: [{id: a, title: t, impact: low, tests: [{file: /a, expect: {exist: false}}]}]\n"
    )
    unknown = Facts({"os": Fact("unsupported", cause="no os-release"), "file:/a": Fact("absent")})
    assert [segment.status for segment in evaluate(profile, unknown, CONTEXT).controls[0].results] == [
        "passed"
    ]


def test_only_if_can_ask_for_each_family_of_the_platform(load):
    profile = load(
        "name: s\ntitle: s\nversion: 1.0.0\ncontrols: [{id: a, title: t, impact: low,"
        " only_if: {reason: on unix, tests: [{os: {}, expect: {families: {include: [debian, linux, unix, os]}}}]},"
        " tests: [{file: /a, expect: {exist: false}}]}]\n"
    )
    facts = Facts({"os": Fact("ok", DEBIAN), "file:/a": Fact("absent")})
    assert [segment.status for segment in evaluate(profile, facts, CONTEXT).controls[0].results] == ["passed"]


def test_two_names_of_one_key_of_supports_are_refused(load):
    with pytest.raises(ScanError, match="found 'os' beside another name of 'platform'"):
        load(
            "name: s\ntitle: s\nversion: 1.0.0\nsupports: [{platform: debian, os: alpine}]\n"
            "controls: [{id: a, title: t, impact: low, manual: true, check: x}]\n"
        )


def test_without_a_known_platform_no_control_is_reviewed(load):
    profile = load(
        "name: s\ntitle: s\nversion: 1.0.0\nsupports: [{platform: debian}]\n"
        "controls: [{id: a, title: t, impact: low, tests: [{file: /a, expect: {exist: false}}]}]\n"
    )
    result = evaluate(
        profile, Facts({"os": Fact("unsupported", cause="no os-release"), "file:/a": Fact("absent")}), CONTEXT
    )
    assert result.status == "loaded"
    assert [segment.status for segment in result.controls[0].results] == ["skipped"]
    reason = "whether this profile applies could not be decided: os is not known: no os-release"
    assert reason in result.controls[0].results[0].skip_message


# -- what surrounds a verdict -----------------------------------------------------------------------------------------


def test_a_defect_of_ours_is_an_error_of_its_control_only(judge, load, as_facts, monkeypatch):
    profile = load(
        "name: s\ntitle: s\nversion: 1.0.0\ncontrols:\n"
        "  - {id: a, title: Ports, impact: low, tests: [{port: 1, expect: {listening: false}}]}\n"
        "  - {id: b, title: File, impact: low, tests: [{file: /a, expect: {uid: 0}}]}\n"
    )
    facts = as_facts({"sockets": [{"unexpected": "shape\x1b[31m"}], "file:/a": STAT})
    broken, sound = evaluate(profile, facts, CONTEXT).controls
    assert [segment.status for segment in broken.results] == ["error"]
    assert broken.results[0].message == "The control could not be judged: KeyError: 'port'"
    assert [segment.status for segment in sound.results] == ["passed"]


def test_a_segment_says_when_what_and_on_what(load, as_facts):
    profile = load(
        "name: s\ntitle: s\nversion: 1.0.0\ncontrols:\n"
        "  - {id: a, title: t, desc: d, impact: high, check: c, tags: {nist: [AC-6]}, tests: ["
        "{file: /a, expect: {uid: 0}}, {users: {where: {uid: 0}}, expect: {count: 0}}]}\n"
    )
    moment = datetime(2026, 11, 23, 12, 0, 0, tzinfo=timezone.utc)
    (control,) = evaluate(
        profile, as_facts({"file:/a": STAT, "passwd": []}), CONTEXT, now=lambda: moment
    ).controls
    file, users = control.results
    assert file.start_time == "2026-11-23T12:00:00+00:00"
    assert 0 <= file.run_time < 1
    assert (file.resource_class, file.resource_id) == ("file", "/a")
    assert (users.resource_class, users.resource_id) == ("users", "Users where uid = 0")
    assert (control.id, control.title, control.desc, control.impact, control.descriptions, control.tags) == (
        "a",
        "t",
        "d",
        0.7,
        {"check": "c"},
        {"nist": ["AC-6"]},
    )
    assert (control.source_file.endswith("/profile.yml"), control.source_line) == (True, 5)


def test_values_of_containers_are_bounded_and_escaped(verdict):
    name = "\x1b]0;pwned\x07\n\u202etxt" + "x" * 5000
    users = [
        {"name": name, "uid": 0, "gid": 0, "gecos": "", "home": "/", "shell": "/bin/sh", "password": "shadow"}
    ] * 30
    for tests in (
        "- users: {}\n  expect: {names: [root]}",
        "- users: {}\n  expect: {count: 0}",
        "- users: {}\n  expect: {names: {none_outside: [root]}}",
    ):
        status, message = verdict(tests, {"passwd": users})
        assert status == "failed"
        assert message.isprintable()
        assert len(message) < 10 * 260 + 200
    assert verdict("- user: root\n  expect: {exist: true}", {"passwd": users})[0] == "failed"
    found = verdict(
        "- mount: /\n  expect: {source: x}",
        {"mounts": [{"mount_point": "/", "fstype": "ext4", "source": name, "options": [], "root": "/"}]},
    )[1]
    assert "\\x1b]0;pwned\\x07\\n\\u202etxtxxx" in found
    assert len(found) < 300
    assert found.endswith("x... (5015 characters in all) at /")
    attack_ends_as("H-01-hdf", outcome="bounded, escaped")


def test_causes_of_containers_are_escaped_too(verdict):
    _status, message = verdict(
        "- file: /a\n  expect: {uid: 0}", {"file:/a": Fact("unreadable", cause="\x1b[2Jgone" + "y" * 900)}
    )
    assert message.isprintable()
    assert len(message) < 300


def test_content_is_never_shown(verdict):
    for expectation in (
        "{content: {matches: x}}",
        "{content: abc}",
        "{content: {include: abc}}",
        "{lines: {each: {matches: x}}}",
        "{lines: [a]}",
        "{content: {include_none: [hunter]}}",
        "{content: {empty: true}}",
    ):
        status, message = verdict(
            f"- file: /a\n  expect: {expectation}", {"content:/a": b"password=hunter2\n"}
        )
        assert status == "failed"
        assert "hunter2" not in message
        assert "not shown" in message


def test_every_resource_describes_itself():
    for resource in RESOURCES.values():
        assert resource.description.endswith("."), resource.name
        for part in (*resource.attributes.values(), *resource.all_parameters, *resource.fields.values()):
            assert part.description.endswith("."), (resource.name, part.name)


@pytest.mark.parametrize("depth", [400, 900, 100_000])
def test_a_value_that_is_nested_too_deeply_to_be_shown_is_not_reviewed(judge, depth):
    content = b'{"a": ' + b"[" * depth + b"]" * depth + b"}"
    control = judge(
        "- json: {path: /c, key: a}\n  expect: {value: nothing}",
        {"content:/c": content},
    )
    (segment,) = control.results
    assert segment.status == "skipped", segment.message
    attack_ends_as("25-deep-json", outcome=control_status(hdf_control(control)))
