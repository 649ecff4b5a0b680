# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each matcher, on values of the types that it applies to."""

from __future__ import annotations

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import Fact
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary.matchers import MATCHERS

STAT = {
    "type": "file",
    "mode": 0o640,
    "uid": 0,
    "gid": 42,
    "size": 700,
    "mtime": 1700000000,
    "link_target": None,
}
JSON = (
    '{"port": 8080, "debug": false, "name": "web", "hosts": ["a", "b"], "ratio": 0.5, "none": null, '
    '"deep": [{"k": "v"}]}'
)
USERS = [
    {"name": name, "uid": uid, "gid": uid, "gecos": "", "home": "/", "shell": shell, "password": "shadow"}
    for name, uid, shell in (("root", 0, "/bin/sh"), ("app", 1000, "/sbin/nologin"), ("job", 1001, "/bin/sh"))
]

CASES = [
    # attribute, expectation, does it hold
    ("uid", "0", True),
    ("uid", "1", False),
    ("uid", "{equals: 0}", True),
    ("uid", "{not: 0}", False),
    ("uid", "{not: 1}", True),
    ("mode", '"0640"', True),
    ("mode", "0640", True),
    ("mode", '"0600"', False),
    ("mode", '{one_of: ["0600", "0640"]}', True),
    ("mode", '{no_wider_than: "0640"}', True),
    ("mode", '{no_wider_than: "0777"}', True),
    ("mode", '{no_wider_than: "0600"}', False),
    ("mode", '{no_wider_than: "0604"}', False),
    ("mode", '{not: {no_wider_than: "0600"}}', True),
    ("gid", "{one_of: [0, 42]}", True),
    ("gid", "{one_of: [0]}", False),
    ("gid", "{not: {one_of: [0, 42]}}", False),
    ("size", "{at_least: 700}", True),
    ("size", "{at_least: 701}", False),
    ("size", "{at_most: 700}", True),
    ("size", "{at_most: 699}", False),
    ("size", "{more_than: 699}", True),
    ("size", "{more_than: 700}", False),
    ("size", "{less_than: 701}", True),
    ("size", "{less_than: 700}", False),
    ("size", "{between: [1, 700]}", True),
    ("size", "{between: [1, 699]}", False),
    ("size", "{at_least: 1, at_most: 10}", False),
    ("size", "{at_least: 1, at_most: 1000}", True),
    ("type", "file", True),
    ("type", "{matches: ^f}", True),
    ("type", "{matches: ^d}", False),
    ("type", "{not: {matches: ^d}}", True),
    ("type", "{include: il}", True),
    ("type", "{include: [fi, xx]}", False),
    ("type", "{include_none: [xx]}", True),
    ("type", "{include_none: [xx, le]}", False),
    ("type", "{include_any: [xx, le]}", True),
    ("type", "{include_any: [xx]}", False),
    ("type", "{empty: false}", True),
    ("type", "{empty: true}", False),
]


@pytest.mark.parametrize(("attribute", "expectation", "holds"), CASES)
def test_matchers_on_single_values(verdict, attribute, expectation, holds):
    status, message = verdict(f"- file: /x\n  expect: {{{attribute}: {expectation}}}", {"file:/x": STAT})
    assert status == ("passed" if holds else "failed"), message


LISTS = [
    ("names", "[root, app, job]", True),
    ("names", "[job, root, app]", True),
    ("names", "[root, app]", False),
    ("names", "root", False),
    ("names", "{include: root}", True),
    ("names", "{include: [root, web]}", False),
    ("names", "{include_none: [toor, web]}", True),
    ("names", "{include_none: [toor, app]}", False),
    ("names", "{include_any: [toor, app]}", True),
    ("names", "{include_any: [toor]}", False),
    ("names", "{none_outside: [root, app, job, web]}", True),
    ("names", "{none_outside: [root, app]}", False),
    ("names", "{none_outside: []}", False),
    ("names", "{each: {matches: '^[a-z]+$'}}", True),
    ("names", "{each: {matches: '^r'}}", False),
    ("names", "{none: {matches: '^z'}}", True),
    ("names", "{none: app}", False),
    ("names", "{any: app}", True),
    ("names", "{any: web}", False),
    ("names", "{unique: true}", True),
    ("shells", "{unique: true}", False),
    ("shells", "{unique: false}", True),
    ("names", "{empty: true}", False),
    ("names", "{empty: false}", True),
    ("names", "{not: {include: toor}}", True),
    ("uids", "{each: {at_most: 1001}}", True),
    ("uids", "{each: {at_most: 1000}}", False),
    ("uids", "{any: {more_than: 1000}}", True),
    ("uids", "{none: {between: [1, 999]}}", True),
    ("shells", "[/bin/sh, /bin/sh, /sbin/nologin]", True),
    ("shells", "[/bin/sh, /sbin/nologin]", False),
]


@pytest.mark.parametrize(("attribute", "expectation", "holds"), LISTS)
def test_matchers_on_lists(verdict, attribute, expectation, holds):
    status, message = verdict(f"- users: {{}}\n  expect: {{{attribute}: {expectation}}}", {"passwd": USERS})
    assert status == ("passed" if holds else "failed"), message


def test_every_matcher_is_covered_in_both_directions():
    for outcome in (True, False):
        covered = {
            name
            for name in MATCHERS
            for case in CASES + LISTS
            if name + ":" in case[1] and case[2] is outcome
        }
        assert covered | {"equals"} == set(MATCHERS)


@pytest.mark.parametrize(
    ("key", "expectation", "holds"),
    [
        ("port", "8080", True),
        ("port", '"8080"', False),
        ("port", "{at_least: 1024}", True),
        ("port", "{matches: '^80'}", True),
        ("debug", "false", True),
        ("debug", "0", False),
        ("debug", "{not: true}", True),
        ("ratio", "{less_than: 1}", True),
        ("hosts", "[b, a]", True),
        ("hosts", "{include: a}", True),
        ("hosts", "{none_outside: [a]}", False),
        ("name", "web", True),
        ("name", "{at_least: 5}", False),
        ("name", "{not: {at_least: 5}}", False),
        ("hosts", "{not: {matches: a}}", False),
        ("debug", "{not: {at_least: 1}}", False),
        ("port", "{not: {each: 1}}", False),
        ("port", "{not: {empty: true}}", False),
        ("none", "{not: 1}", True),
        ("none", "web", False),
        ("missing", "web", False),
        ("missing", "{not: web}", True),
        ("[deep, 0, k]", "v", True),
        ("[hosts, 7]", "a", False),
        ("[port, x]", "a", False),
    ],
)
def test_values_whose_type_only_the_file_knows(verdict, key, expectation, holds):
    """A value that a matcher cannot compare fails, also where the expectation is negated."""
    status, message = verdict(
        f"- json: {{path: /c, key: {key}}}\n  expect: {{value: {expectation}}}", {"content:/c": JSON.encode()}
    )
    assert status == ("passed" if holds else "failed"), message


@pytest.mark.parametrize(
    ("expectation", "holds"),
    [
        ("{at_least: 1.2.3-1}", True),
        ("{at_least: 1.2.3-2}", False),
        ("{less_than: 1.10.0}", True),
        ("1.2.3-1", True),
        ("{one_of: [1.2.3-1, 1.2.4]}", True),
        ("{between: [1.2, 1.3]}", True),
        ("{matches: '^1[.]2'}", True),
    ],
)
def test_versions_are_compared_as_the_package_manager_compares_them(verdict, expectation, holds):
    expectation = expectation.replace("[1.2, 1.3]", '["1.2", "1.3"]')
    packages = {
        "manager": "dpkg",
        "packages": [{"name": "p", "version": "1.2.3-1", "arch": "all", "installed": True}],
    }
    status, message = verdict(f"- package: p\n  expect: {{version: {expectation}}}", {"packages": packages})
    assert status == ("passed" if holds else "failed"), message


@pytest.mark.parametrize(
    ("expectation", "holds"),
    [
        ("2", True),
        ('"2"', True),
        ("{one_of: [1, 2]}", True),
        ("{at_least: 2}", True),
        ("{at_least: 3}", False),
        ("{matches: '^2$'}", True),
        ("{not: {at_least: 3}}", True),
    ],
)
def test_kernel_parameters_compare_as_text_and_as_number(verdict, expectation, holds):
    status, message = verdict(
        f"- kernel_parameter: kernel.x\n  expect: {{value: {expectation}}}", {"sysctl:kernel.x": "2"}
    )
    assert status == ("passed" if holds else "failed"), message


@pytest.mark.parametrize("value", ["4 4 1 7", "", "nan", "-inf", "1_0", "\u0661", "1\n"])
def test_text_that_is_no_number_has_no_order(verdict, value):
    for expectation in ("{at_least: 1}", "{not: {at_least: 1}}", "{at_most: 9}"):
        status, _message = verdict(
            f"- kernel_parameter: kernel.x\n  expect: {{value: {expectation}}}", {"sysctl:kernel.x": value}
        )
        assert status == "failed"


def test_a_pattern_is_searched_line_by_line(verdict):
    content = b"a\n  PermitRootLogin yes\n" + b"x" * 5000 + b"\n"
    status, message = verdict(
        "- file: /c\n  expect: {content: {not: {matches: '^\\s*PermitRootLogin\\s+yes'}}}",
        {"content:/c": content},
    )
    assert (status, message) == (
        "failed",
        "expected content not to match /^\\s*PermitRootLogin\\s+yes/, found a match in line 2 at /c",
    )
    status, message = verdict(
        "- file: /c\n  expect: {content: {not: {matches: absent}}}", {"content:/c": content}
    )
    assert status == "skipped"
    assert "line 3 is longer than the 4096 characters" in message


def test_several_conditions_must_all_hold_and_the_first_broken_one_counts(judge):
    (segment,) = judge(
        "- users: {}\n  expect: {names: {include: root, include_none: [app], unique: true}}",
        {"passwd": USERS},
    ).results
    assert segment.code_desc == (
        "Users names is expected to include root and to include none of [app] and to have unique entries"
    )
    assert segment.message == (
        "expected names to include root and to include none of [app] and to have unique "
        "entries, found [app] in /etc/passwd"
    )


@pytest.mark.parametrize(
    ("tests", "facts", "description", "message"),
    [
        (
            '- file: /etc/shadow\n  expect: {mode: {no_wider_than: "0640"}}',
            {"file:/etc/shadow": dict(STAT, mode=0o644)},
            "File /etc/shadow mode is expected to be no wider than 0640",
            "expected mode no wider than 0640, found 0644 at /etc/shadow",
        ),
        (
            "- file: /x\n  expect: {exist: false}",
            {"file:/x": STAT},
            "File /x is expected not to exist",
            "expected File /x not to exist, found that it does",
        ),
        (
            "- file: /x\n  expect: {exist: true}",
            {"file:/x": Fact("absent")},
            "File /x is expected to exist",
            "expected File /x to exist, found that it does not",
        ),
        (
            "- file: /x\n  expect: {uid: 0}",
            {"file:/x": Fact("absent")},
            "File /x uid is expected to equal 0",
            "expected uid to equal 0, found nothing at /x: it does not exist",
        ),
        (
            "- users: {where: {uid: 0}}\n  expect: {names: [toor]}",
            {"passwd": USERS},
            "Users where uid = 0 names is expected to be exactly [toor]",
            "expected names exactly [toor], found [root] in /etc/passwd",
        ),
        (
            "- users: {where: {uid: {at_least: 1000}}}\n  expect: {count: 0}",
            {"passwd": USERS},
            "Users where uid >= 1000 count is expected to equal 0",
            "expected count to equal 0, found 2 in /etc/passwd: [app, job]",
        ),
        (
            "- users: {}\n  expect: {names: {empty: true}}",
            {"passwd": USERS},
            "Users names is expected to be empty",
            "expected names to be empty, found [root, app, job] in /etc/passwd",
        ),
        (
            "- users: {}\n  expect: {names: {not: {empty: true}}}",
            {"passwd": []},
            "Users names is expected not to be empty",
            "expected names not to be empty, found [] in /etc/passwd",
        ),
        (
            "- users: {}\n  expect: {uids: {each: {not: 0}}}",
            {"passwd": USERS},
            "Users uids is expected to have each not = 0",
            "expected uids to have each not = 0, found [0] in /etc/passwd",
        ),
        (
            "- port: 22\n  expect: {listening: false}",
            {"sockets": [{"protocol": "tcp", "address": "0.0.0.0", "port": 22, "uid": 0}]},
            "Port 22 is expected not to be listening",
            "expected Port 22 not to be listening, found that it is: tcp 0.0.0.0:22",
        ),
        (
            "- user: root\n  expect: {shell: {not: {one_of: [/bin/sh]}}}",
            {"passwd": USERS},
            "User root shell is expected not to be one of [/bin/sh]",
            "expected shell not to be one of [/bin/sh], found /bin/sh in /etc/passwd",
        ),
    ],
)
def test_descriptions_and_messages(judge, tests, facts, description, message):
    (segment,) = judge(tests, facts).results
    assert (segment.status, segment.code_desc, segment.message) == ("failed", description, message)
