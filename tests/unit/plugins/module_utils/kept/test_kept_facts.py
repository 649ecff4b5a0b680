# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts that are kept come back as they were, and nothing secret is among them."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import Fact, Facts
from ansible_collections.securescan.kubernetes.plugins.module_utils.kept.kept_facts import (
    BadFactsError,
    keep_facts,
    restore_facts,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.kept.secret_texts import secret_in

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
    "content:/etc/login.defs": b"PASS_MAX_DAYS 365\nENCRYPT_METHOD SHA512\n\xff\x00",
    "content:/etc/nsswitch.conf": b"passwd:         files systemd\nshadow:  files\n",
    "content:/etc/pam.d/common-password": b"password [success=1 default=ignore] pam_unix.so obscure yescrypt use_authtok\n",
    "content:/etc/ssh/sshd_config": b"PasswordAuthentication no\nPermitEmptyPasswords no\nPubkeyAuthentication yes\n",
    "content:/empty": b"",
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
    "processes": [
        {
            "pid": 1,
            "ppid": 0,
            "uid": 0,
            "gid": 0,
            "state": "S",
            "name": "nginx",
            "cmdline": ["nginx", "-g", "daemon off;"],
        }
    ],
    "sockets": [{"protocol": "tcp", "address": "::", "port": 80, "uid": 0}],
    "sysctl:kernel.randomize_va_space": "2",
    "walk:/[match=setuid]": {"entries": [{"path": "/bin/su \udcff\n"}], "complete": True, "unreadable": 0},
}


def kept_and_back(facts: Facts) -> Facts:
    return restore_facts(json.loads(json.dumps(keep_facts(facts))), {"version": "1"})


def test_values_of_every_shape_come_back() -> None:
    facts = Facts({key: Fact("ok", value) for key, value in HARMLESS.items()})
    facts.by_key.update(
        {
            "absent": Fact("absent", cause="it is not there"),
            "partial": Fact("too_large", {"entries": [{"path": "/x"}]}, "it found too much"),
        }
    )
    back = kept_and_back(facts)
    assert back.by_key == facts.by_key
    assert back.collector == {"version": "1"}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nabc", "a private key"),
        ("-----BEGIN PRIVATE KEY-----", "a private key"),
        ("x eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJpc3MiOiJrdWJlcm5ldGVz.c2ln", "a token"),
        ("key AKIAIOSFODNN7EXAMPLE", "a token"),
        ("ghp_0123456789abcdefghijABCDEFGHIJ012345", "a token"),
        ("root:$6$salt$hashhashhash:1", "a password hash"),
        ("$y$j9T$abc$def", "a password hash"),
        ("$2y$10$abcdefgh", "a password hash"),
        ("DSN=postgres://user:hunter2@db/x", "a password in an address"),
        ("Authorization: Bearer abcdefghijklmnop", "an authorization header"),
        ("password=hunter2", "a password or token"),
        ("db.password: hunter2", "a password or token"),
        ('{"apiKey": "0123abc"}', "a password or token"),
        ("client_secret = 'x y'", "a password or token"),
        ("[client]\npasswd=hunter2", "a password or token"),
        ("DB_PASSWORD=hunter2", "a password or token"),
        ('secret => "abc"', "a password or token"),
        ("token: abc # note", "a password or token"),
        ("mysqld --password hunter2", "a password on a command line"),
        ("x --api-key=k", "a password or token"),
        ("app -token abc", "a password on a command line"),
    ],
)
def test_what_looks_like_a_secret(text: str, what: str) -> None:
    assert secret_in(text) == what
    key = "content:/x"
    for value in (text, text.encode(), [{"deep": [text]}]):
        kept = keep_facts(Facts({key: Fact("ok", value)}))
        assert kept == {
            key: {
                "status": "unreached",
                "value": None,
                "cause": f"it was not kept: it may hold a secret ({what})",
            }
        }
    assert keep_facts(Facts({key: Fact("unreadable", cause=text)}))[key]["cause"].startswith(
        "it was not kept"
    )


@pytest.mark.parametrize(
    "text",
    [
        "password",
        "password:",
        "password: ''",
        "use_password = yes",
        "token=${TOKEN}",
        "secret: {{ secret }}",
        "max_tokens: 7",
        "password = # not set",
        "passwd: files",
        "https://example.org:8443/a@b",
        "a - b",
        "secretName",
        "PASS_WARN_AGE 7",
        "# password must be long",
        "$1 $2",
        "nginx: master process nginx -g daemon off;",
    ],
)
def test_a_text_without_a_secret_is_kept(text: str) -> None:
    assert secret_in(text) == ""


@pytest.mark.parametrize(
    "piece",
    [
        "eyJ-",
        "eyJhbGciOiJSUzI1NiJ9-",
        "-----BEGIN A ",
        "password ",
        "password\t\t",
        "passwordtoken",
        "password=yes ",
        "ab://",
        "ab://u:",
        "ab:",
        "a.",
        "$1",
        "$6$",
        "--token",
        " --token-",
        " -password",
        "Basic ",
        "secret => ",
        "  ",
        "passwd",
        "\n",
        "xoxb-a ",
        "{{ ",
    ],
)
def test_no_text_takes_long(piece: str) -> None:
    text = (piece * 1_000_000)[:1_000_000]
    begun = time.process_time()
    secret_in(text)
    assert time.process_time() - begun < 3


def test_the_words_of_a_command_line_are_looked_at_together() -> None:
    process = dict(HARMLESS["processes"][0], cmdline=["app", "--password", "hunter2"])  # type: ignore[index]
    kept = keep_facts(Facts({"processes": Fact("ok", [process])}))["processes"]
    assert kept["status"] == "unreached"
    assert "hunter2" not in json.dumps(kept)


def test_a_variable_is_looked_at_with_its_name() -> None:
    values = {
        "environment_value:DB_PASSWORD": "hunter2",
        "environment_value:API_TOKEN": "abc",
        "environment_value:LANG": "C.UTF-8",
    }
    kept = keep_facts(
        Facts(
            {key: Fact("ok", value) for key, value in values.items()}
            | {"environment_value:OTHER_PASSWORD": Fact("absent", cause="it is not set")}
        )
    )
    assert {key: entry["status"] for key, entry in kept.items()} == {
        "environment_value:DB_PASSWORD": "unreached",
        "environment_value:API_TOKEN": "unreached",
        "environment_value:LANG": "ok",
        "environment_value:OTHER_PASSWORD": "absent",
    }
    assert kept["environment_value:LANG"]["value"] == "C.UTF-8"
    assert "hunter2" not in json.dumps(kept)


def test_a_value_of_an_unknown_kind_costs_only_its_fact() -> None:
    kept = keep_facts(
        Facts({"new": Fact("ok", {1, 2}), "odd": Fact("ok", {"base64": "x"}), "os": Fact("ok", "x")})
    )
    assert {key: entry["status"] for key, entry in kept.items()} == {
        "new": "unreached",
        "odd": "unreached",
        "os": "ok",
    }
    assert kept["new"]["cause"] == "it was not kept: its value holds set"


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
    ],
)
def test_what_is_not_facts_is_refused(kept: Any) -> None:
    with pytest.raises(BadFactsError):
        restore_facts(kept, {})
