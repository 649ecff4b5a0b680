# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts that are kept come back as they were, without what is sensitive by its kind, and know what they lack."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import (
    BROKEN,
    MET,
    NOTHING_ASKED,
    UNKNOWN,
    WITHHELD,
    Asked,
    Fact,
    Facts,
    KeptAnswer,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.kept.kept_facts import (
    BadFactsError,
    keep_answers,
    keep_facts,
    restore_facts,
)

HARMLESS = {
    "os": {"name": "debian", "family": "debian", "release": "12.5", "arch": "x86_64"},
    "file:/etc/passwd": {
        "type": "file",
        "mode": 0o644,
        "uid": 0,
        "gid": 0,
        "size": 9,
        "mtime": 1,
        "link_target": None,
    },
    "passwd": [
        {
            "name": "root",
            "password": "x",
            "uid": 0,
            "gid": 0,
            "gecos": "",
            "home": "/root",
            "shell": "/bin/sh",
        }
    ],
    "shadow": [{"name": "root", "password": "locked", "max_days": None}],
    "environment": ["DB_PASSWORD", "PATH", "TOKEN"],
    "packages": {
        "manager": "dpkg",
        "packages": [{"name": "libpam-modules", "version": "1.5.2-6+deb12u1", "arch": "amd64"}],
    },
    "sockets": [{"protocol": "tcp", "address": "::", "port": 80, "uid": 0}],
    "sysctl:kernel.randomize_va_space": "2",
    "walk:/[match=setuid]": {"entries": [{"path": "/bin/su \udcff\n"}], "complete": True, "unreadable": 0},
}


SENSITIVE = {
    "content:/etc/motd": b"HIDDEN1",
    "content:/empty": b"",
    'command:["id"]': {"exit_status": 0, "stdout": b"HIDDEN2", "stderr": b"HIDDEN3"},
    "environment_value:LANG": "HIDDEN4",
}


def kept_and_back(facts: Facts, asked: Asked = NOTHING_ASKED) -> Facts:
    kept, answers = json.loads(json.dumps([keep_facts(facts, asked), keep_answers(asked)]))
    return restore_facts(kept, {"version": "1"}, answers)


def test_values_of_every_shape_come_back() -> None:
    facts = Facts({key: Fact("ok", value) for key, value in HARMLESS.items()})
    facts.by_key.update(
        {
            "passwd": Fact("absent", cause="it is not there"),
            "walk:/": Fact("too_large", {"entries": [{"path": "/x"}]}, "it found too much"),
        }
    )
    back = kept_and_back(facts)
    assert back.by_key == facts.by_key
    assert back.collector == {"version": "1"}


def test_what_is_sensitive_by_its_kind_is_withheld_whatever_it_looks_like() -> None:
    facts = Facts({key: Fact("ok", value) for key, value in SENSITIVE.items()})
    text = json.dumps(keep_facts(facts, Asked()))
    assert "HIDDEN" not in text
    assert "SElEREVO" not in text, "base64 of HIDDEN"
    assert {fact.status for fact in kept_and_back(facts).values()} == {WITHHELD}
    assert list(kept_and_back(facts).unread()) == [], "it was seen"


def test_rows_lose_what_is_sensitive_in_them_and_say_so_by_its_absence() -> None:
    process = {"pid": 1, "ppid": 0, "uid": 0, "gid": 0, "state": "S", "name": "app"}
    mount = {"mount_point": "/", "fstype": "overlay", "source": "overlay", "root": "/"}
    plain = {**mount, "options": ["rw", "lowerdir=/a:/b"]}
    link = {"type": "symlink", "mode": 0o777, "uid": 0, "gid": 0, "size": 9, "mtime": 1}
    back = kept_and_back(
        Facts(
            {
                "processes": Fact("ok", [{**process, "cmdline": ["app", "HIDDEN"]}]),
                "mounts": Fact("ok", [plain, {**mount, "options": ["rw", "what=HIDDEN"]}]),
                "file:/x": Fact("ok", {**link, "link_target": "HIDDEN"}),
                "file:/y": Fact("unreadable", {"type": "symlink", "link_target": "HIDDEN"}, "no stat"),
            }
        )
    )
    assert back.by_key == {
        "processes": Fact("ok", [process]),
        "mounts": Fact("ok", [plain, mount]),
        "file:/x": Fact("ok", link),
        "file:/y": Fact("unreadable", {"type": "symlink"}, "no stat"),
    }


def test_what_was_asked_of_a_withheld_fact_comes_back_with_it() -> None:
    parts = {"content:/etc/motd": {"ini x": Fact("ok", ["a", 1]), "ini y": Fact("absent", cause="none")}}
    answers = {
        "1": KeptAnswer("asked", ("content:/etc/motd",), MET),
        "2": KeptAnswer("asked", ("processes", "os"), BROKEN, "message"),
        "3": KeptAnswer("asked", ("processes",), UNKNOWN, "cause", "what"),
    }
    facts = Facts({key: Fact("ok", value) for key, value in SENSITIVE.items()})
    back = kept_and_back(facts, Asked(parts, answers))
    assert back["content:/etc/motd"].parts == parts["content:/etc/motd"]
    assert back["content:/empty"].parts == {}
    assert back.answers == answers


def test_a_fact_that_is_replaced_takes_its_answers_with_it() -> None:
    answers = {"1": KeptAnswer("a", ("x", "y"), MET), "2": KeptAnswer("b", ("z",), MET)}
    facts = Facts({"x": Fact(WITHHELD), "z": Fact(WITHHELD)}, {}, answers)
    other = facts.overlaid({"x": Fact("ok", 1)})
    assert (other["x"], other.answers) == (Fact("ok", 1), {"2": answers["2"]})


def test_what_is_left_and_looks_like_a_secret_costs_its_fact() -> None:
    cause = "it was not kept: it may hold a secret (a password or token)"
    facts = Facts(
        {
            "sysctl:net.ipv4.tcp_fastopen_key": Fact("ok", "a1b2-c3d4"),
            "sysctl:secret_key": Fact("ok", "a1b2"),
            "sysctl:kernel.randomize_va_space": Fact("ok", "2"),
            "walk:/[match=setuid]": Fact(
                "too_large", {"entries": [{"path": "/a\npassword=hunter2"}]}, "more"
            ),
            "passwd": Fact("unreadable", cause="password=hunter2"),
        }
    )
    assert {key: (fact.status, fact.cause) for key, fact in kept_and_back(facts).items()} == {
        "sysctl:net.ipv4.tcp_fastopen_key": ("ok", ""),
        "sysctl:secret_key": (WITHHELD, cause),
        "sysctl:kernel.randomize_va_space": ("ok", ""),
        "walk:/[match=setuid]": (WITHHELD, cause),
        "passwd": (WITHHELD, cause),
    }


def test_a_fact_of_an_unknown_kind_is_withheld_and_one_of_an_unknown_shape_costs_only_itself() -> None:
    kept = keep_facts(
        Facts({"new": Fact("ok", "x"), "os": Fact("ok", {1, 2}), "group": Fact("ok", "x")}), Asked()
    )
    assert {key: (entry["status"], entry["cause"]) for key, entry in kept.items()} == {
        "new": (WITHHELD, "it was not kept: its kind is not known"),
        "os": (WITHHELD, "it was not kept: its value holds set"),
        "group": ("ok", ""),
    }


@pytest.mark.parametrize(
    "kept",
    [
        None,
        [],
        {"os": None},
        {"os": {}},
        {"os": {"status": "fine", "value": 1, "cause": ""}},
        {"os": {"status": "ok", "value": None, "cause": ""}},
        {"os": {"status": "ok", "value": 1}},
        {"os": {"status": "ok", "value": 1, "cause": None}},
        {"os": {"status": "ok", "value": {"base64": "!"}, "cause": ""}},
        {"os": {"status": "ok", "value": {"base64": None}, "cause": ""}},
        {"os": {"status": "withheld", "value": 1, "cause": ""}},
        {"os": {"status": "withheld", "value": None, "cause": "", "parts": []}},
        {"os": {"status": "withheld", "value": None, "cause": "", "parts": {"x": 1}}},
        {
            "os": {
                "status": "withheld",
                "value": None,
                "cause": "",
                "parts": {"x": {"status": "unreadable", "value": None, "cause": ""}},
            }
        },
        {"os": {"status": "ok", "value": 1, "cause": "", "more": 1}},
    ],
)
def test_what_is_not_facts_is_refused(kept: Any) -> None:
    with pytest.raises(BadFactsError):
        restore_facts(kept, {})


@pytest.mark.parametrize(
    "answers",
    [
        [],
        {"1": None},
        {"1": {}},
        {"1": {"asked": "", "facts": [], "status": "fine", "text": "", "what": ""}},
        {"1": {"asked": "", "facts": "os", "status": "met", "text": "", "what": ""}},
        {"1": {"asked": "", "facts": [1], "status": "met", "text": "", "what": ""}},
        {"1": {"asked": "", "facts": [], "status": "met", "text": None, "what": ""}},
    ],
)
def test_what_is_not_answers_is_refused(answers: Any) -> None:
    with pytest.raises(BadFactsError):
        restore_facts({}, {}, answers)
