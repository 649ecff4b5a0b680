# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Broken profiles: each is refused with file, line, what was found and what was expected."""

from __future__ import annotations

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError

TOP = """\
name: sample
title: Sample
version: 1.0.0
inputs:
  - {name: ports, type: array, value: [22, 23]}
  - {name: secret, type: string, value: hunter2, sensitive: true}
  - {name: flag, type: boolean, value: true}
controls:
"""
CONTROL = """\
  - id: c-1
    title: One
    impact: 0.5
    tests:
"""


def top(line):
    """A profile whose first lines are these; the rest is sound."""
    return line + CONTROL.replace("    tests:\n", "    manual: true\n    check: look\n")


def one_test(line):
    """One test in flow style, as line 13 of a sound profile."""
    return TOP + CONTROL + "      - " + line + "\n"


def control(*lines):
    """A control of these lines; the first is line 9."""
    return TOP + "  - " + "\n    ".join(lines) + "\n"


def inputs(line):
    """One input, as line 5 of a sound profile."""
    return top(f"name: sample\ntitle: Sample\nversion: 1.0.0\ninputs:\n  - {line}\ncontrols:\n")


BROKEN = {
    # the file
    "empty": ("", 1, "the file is empty; expected a profile"),
    "no mapping": ("- a\n", 1, "the profile: found a list; expected a mapping"),
    "YAML syntax": (
        "name: sample\ntitle: [a\n",
        3,
        "not valid YAML: while parsing a flow sequence expected ',' or ']', but got",
    ),
    "tabs": ("name: a\n\ttitle: b\n", 2, "found character '\\t' that cannot start any token"),
    "two documents": ("name: a\n---\nname: b\n", 2, "but found another document"),
    "key twice": (
        "name: a\ntitle: b\nname: c\n",
        3,
        "the key name stands twice in one mapping (first in line 1)",
    ),
    "key no text": ("1: a\n", 1, "found a key that is no text"),
    "tag": (
        "name: !!python/object:os.system a\n",
        1,
        "found the tag tag:yaml.org,2002:python/object:os.system; expected plain data",
    ),
    "own tag": ("name: !secret a\n", 1, "found the tag !secret; expected plain data"),
    "merge key": (
        "a: &a {b: 1}\nc:\n  <<: *a\n",
        3,
        "found the merge key <<; expected each key to be written out",
    ),
    "endless anchor": ("a: &a\n  b: *a\n", 2, "an anchor that holds a reference to itself"),
    "alias bomb": (
        "a: &a [1,1,1,1,1,1,1,1,1,1]\n"
        + "".join(
            "{}: &{} [{}]\n".format(name, name, ",".join(["*" + last] * 10))
            for last, name in zip("abcdefg", "bcdefgh")
        ),
        6,
        "more than 200000 parts",
    ),
    "deep nesting": ("a: " + "[" * 60 + "]" * 60 + "\n", 1, "nested deeper than 40"),
    # the profile
    "unknown key": (
        top("name: sample\ntitel: Sample\ntitle: x\nversion: 1.0.0\ncontrols:\n"),
        2,
        "the profile: unknown key 'titel', did you mean 'title'? Expected one of controls, copyright",
    ),
    "missing key": (
        top("name: sample\nversion: 1.0.0\ncontrols:\n"),
        1,
        "the profile: the key 'title' is missing; expected name, title",
    ),
    "name": (
        top("name: my.profile\ntitle: x\nversion: 1.0.0\ncontrols:\n"),
        1,
        "the profile's name: found 'my.profile'; expected small letters, digits, _ and -",
    ),
    "version no text": (
        top("name: sample\ntitle: x\nversion: 1.0\ncontrols:\n"),
        3,
        "the profile's version: found number 1.0; expected a text, in quotes",
    ),
    "version": (
        top("name: sample\ntitle: x\nversion: v1\ncontrols:\n"),
        3,
        "the profile's version: found 'v1'; expected a version such as 1.0.0",
    ),
    "title empty": (
        top("name: sample\ntitle: ''\nversion: 1.0.0\ncontrols:\n"),
        2,
        "the profile's title: found an empty text; expected a text",
    ),
    "no controls": (
        "name: sample\ntitle: x\nversion: 1.0.0\ncontrols: []\n",
        4,
        "found an empty list; expected a list with at least one entry",
    ),
    "supports key": (
        top("name: sample\ntitle: x\nversion: 1.0.0\nsupports:\n  - {platform-familly: debian}\ncontrols:\n"),
        5,
        "an entry of supports: unknown key 'platform-familly'",
    ),
    # inputs
    "input without type": (
        inputs("{name: a, value: 1}"),
        5,
        "an input: the key 'type' is missing; expected name, type",
    ),
    "input type": (
        inputs("{name: a, type: nummeric, value: 1}"),
        5,
        "input 'a': unknown type 'nummeric', did you mean 'numeric'?",
    ),
    "input value": (
        inputs("{name: a, type: numeric, value: many}"),
        5,
        "input 'a': found text 'many' as its value; expected a number",
    ),
    "input pattern": (
        inputs("{name: a, type: regexp, value: '('}"),
        5,
        "input 'a': found text '(' as its value; expected a regular expression",
    ),
    "input without value": (
        inputs("{name: a, type: string}"),
        5,
        "input 'a': it has neither a value nor 'required: true'",
    ),
    "input name": (
        inputs("{name: a b, type: string, value: x}"),
        5,
        "input 'a b': found other characters in the name",
    ),
    "input key": (
        inputs("{name: a, type: string, value: x, secret: true}"),
        5,
        "an input: unknown key 'secret'",
    ),
    "input sensitive": (
        inputs("{name: a, type: numeric, value: hunter2, sensitive: true}"),
        5,
        "found another type as its value; expected a number",
    ),
    "input twice": (
        inputs("{name: a, type: string, value: x}\n  - {name: a, type: string, value: y}"),
        6,
        "input 'a' is declared twice",
    ),
    "reference": (
        one_test("{file: /x, expect: {uid: '${input.port}'}}"),
        13,
        "a reference: unknown input 'port', did you mean 'ports'? Expected one of flag, ports, secret",
    ),
    "reference form": (
        one_test("{file: /x, expect: {type: '${ports}'}}"),
        13,
        "found '${' without a name of an input; expected ${input.NAME}",
    ),
    "list in text": (
        one_test("{file: '/x/${input.ports}', expect: {uid: 0}}"),
        13,
        "input 'ports' is a list; expected it to stand alone",
    ),
    "input of wrong type": (
        one_test("{file: /x, expect: {uid: '${input.flag}'}}"),
        13,
        "file uid equals: found boolean true; expected a whole number",
    ),
    "sensitive parameter": (
        one_test("{user: '${input.secret}', expect: {exist: false}}"),
        13,
        "found a sensitive input as a parameter, which results show",
    ),
    # controls
    "control key": (
        control("id: c-1", "title: x", "impact: low", "severity: high", "tests: []"),
        12,
        "control 'c-1': unknown key 'severity'",
    ),
    "control without id": (
        control("title: x", "impact: low", "tests: []"),
        9,
        "a control: the key 'id' is missing; expected id, title, impact",
    ),
    "control id": (
        control("id: a b", "title: x", "impact: low", "tests: []"),
        9,
        "the id of a control: found 'a b'",
    ),
    "control no mapping": (TOP + "  - c-1\n", 9, "a control: found text 'c-1'; expected a mapping"),
    "same id": (
        control("id: c-1", "title: x", "impact: low", "manual: true", "check: look")
        + "  - {id: c-1, title: y, impact: low, manual: true, check: look}\n",
        14,
        "control 'c-1' stands here for the second time; expected each id once",
    ),
    "no tests": (
        control("id: c-1", "title: x", "impact: low"),
        9,
        "control 'c-1': it has no tests; expected 'tests', or 'manual: true'",
    ),
    "empty tests": (
        control("id: c-1", "title: x", "impact: low", "tests: []"),
        12,
        "control 'c-1': tests: found an empty list; expected a list with at least one entry",
    ),
    "manual and tests": (
        control(
            "id: c-1", "title: x", "impact: low", "manual: true", "tests: [{file: /x, expect: {exist: true}}]"
        ),
        13,
        "control 'c-1': found tests in a manual control",
    ),
    "manual without check": (
        control("id: c-1", "title: x", "impact: low", "manual: true"),
        9,
        "it is manual and has no 'check'",
    ),
    "manual no boolean": (
        control("id: c-1", "title: x", "impact: low", "manual: yes"),
        12,
        "control 'c-1': manual: found text 'yes'; expected true or false",
    ),
    "impact word": (
        control("id: c-1", "title: x", "impact: hihg", "manual: true", "check: x"),
        11,
        "control 'c-1': unknown impact 'hihg', did you mean 'high'?",
    ),
    "impact range": (
        control("id: c-1", "title: x", "impact: 7", "manual: true", "check: x"),
        11,
        "found number 7 as impact; expected a number from 0.0 to 1.0",
    ),
    "impact between": (
        control("id: c-1", "title: x", "impact: 0.05", "manual: true", "check: x"),
        11,
        "found number 0.05 as impact; expected 0.0, or 0.1 and more",
    ),
    "control tag": (
        control("id: c-1", "title: x", "impact: low", "manual: true", "check: x", "tags:", "  nist: {a: b}"),
        15,
        "the tag 'nist' holds a mapping or lists in a list",
    ),
    "tag severity": (
        control(
            "id: c-1", "title: x", "impact: low", "manual: true", "check: x", "tags: {severity: Critical}"
        ),
        14,
        "the tag 'severity' is text 'Critical'; expected one of none, low, medium, high, critical in",
    ),
    "refs": (
        control("id: c-1", "title: x", "impact: low", "manual: true", "check: x", "refs: [{link: x}]"),
        14,
        "control 'c-1': refs: unknown key 'link'",
    ),
    "only_if without reason": (
        control(
            "id: c-1",
            "title: x",
            "impact: low",
            "only_if: {tests: [{pod: {}, expect: {host_pid: true}}]}",
            "tests: []",
        ),
        12,
        "control 'c-1': only_if: the key 'reason' is missing",
    ),
    "only_if broken": (
        control(
            "id: c-1",
            "title: x",
            "impact: low",
            "only_if: {reason: x, tests: [{pods: {}, expect: {host_pid: true}}]}",
            "tests: [{pod: {}, expect: {host_pid: true}}]",
        ),
        12,
        "control 'c-1': only_if: unknown resource 'pods', did you mean 'pod'?",
    ),
    # tests
    "unknown resource": (
        one_test("{fiel: /x, expect: {exist: true}}"),
        13,
        "control 'c-1': unknown resource 'fiel', did you mean 'file'?",
    ),
    "two resources": (
        one_test("{file: /x, user: a, expect: {exist: true}}"),
        13,
        "found the resources file and user in one test",
    ),
    "no resource": (
        one_test("{expect: {exist: true}}"),
        13,
        "found no resource in one test; expected exactly one resource beside 'expect'",
    ),
    "no expect": (one_test("{file: /x}"), 13, "control 'c-1': the test of 'file' has no 'expect'"),
    "empty expect": (
        one_test("{file: /x, expect: {}}"),
        13,
        "control 'c-1': file expect: found an empty mapping; expected attributes",
    ),
    "test no mapping": (
        one_test("/etc/passwd exists"),
        13,
        "control 'c-1': a test: found text '/etc/passwd exists'; expected a mapping",
    ),
    "unknown attribute": (
        one_test("{file: /x, expect: {mod: '0640'}}"),
        13,
        "control 'c-1': file: unknown attribute 'mod', did you mean 'mode'?",
    ),
    "unknown parameter": (
        one_test("{port: {number: 1, proto: tcp}, expect: {listening: false}}"),
        13,
        "port: unknown key 'proto', did you mean 'protocol'?",
    ),
    "parameter for none": (
        one_test("{pod: {name: x}, expect: {host_pid: true}}"),
        13,
        "control 'c-1': pod: unknown key 'name'; expected none",
    ),
    "missing parameter": (
        one_test("{file_search: {path: /}, expect: {count: 0}}"),
        13,
        "file_search: the parameter 'match' is missing; expected one of setuid",
    ),
    "subject missing": (
        one_test("{file: {}, expect: {exist: true}}"),
        13,
        "file: the parameter 'path' is missing; expected an absolute path",
    ),
    "no subject": (
        one_test("{users: root, expect: {count: 0}}"),
        13,
        "users: found text 'root'; expected {} or {where: ...}",
    ),
    "relative path": (
        one_test("{file: etc/passwd, expect: {exist: true}}"),
        13,
        "file path: found text 'etc/passwd'; expected an absolute path",
    ),
    "dotted path": (
        one_test("{file: /a/../b, expect: {exist: true}}"),
        13,
        "must be a path without empty, . and .. parts",
    ),
    "hash file": (
        one_test("{file: /etc/shadow, expect: {content: {empty: false}}}"),
        13,
        "may hold password hashes, which never leave a container",
    ),
    "walk of proc": (
        one_test("{file_search: {path: /proc, match: setuid}, expect: {count: 0}}"),
        13,
        "/proc, /sys and /dev are never walked",
    ),
    "port range": (
        one_test("{port: 70000, expect: {listening: false}}"),
        13,
        "port number: found number 70000; expected a port number from 1 to 65535",
    ),
    "sysctl name": (
        one_test("{kernel_parameter: '../x', expect: {value: 1}}"),
        13,
        "kernel_parameter: the fact sysctl '../x' is not the name of a kernel parameter",
    ),
    "word": (
        one_test("{file_search: {path: /, match: suid}, expect: {count: 0}}"),
        13,
        "file_search match: found text 'suid'; expected one of setuid, setgid",
    ),
    "unknown field": (
        one_test("{users: {where: {id: 0}}, expect: {count: 0}}"),
        13,
        "users where: unknown field 'id'",
    ),
    "where on one": (
        one_test("{user: {name: a, where: {uid: 0}}, expect: {exist: true}}"),
        13,
        "user: unknown key 'where'",
    ),
    # matchers
    "unknown matcher": (
        one_test("{file: /x, expect: {mode: {no_wider: '0640'}}}"),
        13,
        "file mode: unknown matcher 'no_wider', did you mean 'no_wider_than'?",
    ),
    "wrong matcher": (
        one_test("{file: /x, expect: {mode: {at_most: '0640'}}}"),
        13,
        "the matcher 'at_most' does not apply to permission bits as octal",
    ),
    "mode as number": (
        one_test("{file: /x, expect: {mode: 640}}"),
        13,
        "file mode equals: found number 640; expected permission bits as octal digits in quotes",
    ),
    "mode digits": (
        one_test("{file: /x, expect: {mode: '0680'}}"),
        13,
        "found text '0680'; expected permission bits",
    ),
    "boolean for text": (
        one_test("{file: /x, expect: {type: true}}"),
        13,
        "file type equals: found boolean true; put it in quotes; expected a text",
    ),
    "text for boolean": (
        one_test("{file: /x, expect: {exist: yes}}"),
        13,
        "file exist equals: found text 'yes'; expected true or false",
    ),
    "text for number": (
        one_test("{file: /x, expect: {uid: root}}"),
        13,
        "file uid equals: found text 'root'; expected a whole number",
    ),
    "null": (
        one_test("{file: /x, expect: {uid: }}"),
        13,
        "file uid equals: found nothing; expected a whole number",
    ),
    "list for one": (
        one_test("{file: /x, expect: {uid: [0, 1]}}"),
        13,
        "file uid: found a list; expected a whole number (one_of takes a list)",
    ),
    "empty list": (
        one_test("{file: /x, expect: {uid: {one_of: []}}}"),
        13,
        "file uid one_of: found an empty list; expected at least one entry",
    ),
    "list entry": (
        one_test("{users: {}, expect: {uids: [root]}}"),
        13,
        "users uids equals: found text 'root'; expected a list whose entries are each a whole number",
    ),
    "between": (
        one_test("{file: /x, expect: {size: {between: [5]}}}"),
        13,
        "file size between: found 1 limits that are not a smaller and a larger one",
    ),
    "between order": (
        one_test("{file: /x, expect: {size: {between: [5, 1]}}}"),
        13,
        "found 2 limits that are not a smaller and a larger one; expected two",
    ),
    "order of text": (
        one_test("{kernel_parameter: kernel.x, expect: {value: {at_least: much}}}"),
        13,
        "found text 'much'; expected something with an order",
    ),
    "pattern": (
        one_test("{file: /x, expect: {type: {matches: '('}}}"),
        13,
        "file type matches: found text '(': the pattern cannot be read: missing )",
    ),
    "explosive pattern": (
        one_test("{file: /x, expect: {type: {matches: '(a+)+$'}}}"),
        13,
        "the pattern has a repeat or a choice inside a repeat without bound",
    ),
    "explosive choice": (
        one_test("{file: /x, expect: {type: {matches: '(ab|ac|d)*x'}}}"),
        13,
        "a hostile text could stop the scan with it",
    ),
    "back reference": (
        one_test("{file: /x, expect: {type: {matches: '(.*)\\1'}}}"),
        13,
        "or refers back to a group",
    ),
    "no matcher": (
        one_test("{file: /x, expect: {mode: {}}}"),
        13,
        "file mode: found an empty mapping; expected a value or a matcher",
    ),
    "not of two": (
        one_test("{file: /x, expect: {size: {not: {at_least: 1, at_most: 2}}}}"),
        13,
        "file size: found 2 matchers below 'not'; expected exactly one",
    ),
    "not not": (
        one_test("{file: /x, expect: {size: {not: {not: 1}}}}"),
        13,
        "file size: found another 'not' below 'not'",
    ),
    "nested matcher": (
        one_test("{users: {}, expect: {uids: {each: {matches: x}}}}"),
        13,
        "users uids each: the matcher 'matches' does not apply to a whole number",
    ),
    "quantity": (
        one_test("{container: {}, expect: {memory_limit: {at_most: 1 GB}}}"),
        13,
        "found text '1 GB'; expected a Kubernetes quantity",
    ),
    "unique": (
        one_test("{users: {}, expect: {uids: {unique: 1}}}"),
        13,
        "users uids unique: found number 1; expected true or false",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_profile(load, tmp_path, name):
    text, line, expected = BROKEN[name]
    with pytest.raises(ScanError) as caught:
        load(text)
    assert caught.value.reason == "bad_profile"
    message = caught.value.message
    assert message.startswith("{}:{}: ".format(tmp_path / "profile.yml", line)), message
    assert any(part in message for part in expected.split("|")), message
    assert "hunter2" not in message


def test_there_are_enough_of_them():
    assert len(BROKEN) >= 80
