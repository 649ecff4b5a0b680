# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What looks like a secret: a help, measured by samples, and bounded in time."""

from __future__ import annotations

import time

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.secret_texts import (
    in_place_of,
    secret_in,
    secret_in_value,
    values_without_secrets,
    without_secret,
)
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as
from ansible_collections.securescan.kubernetes.tests.support.secret_samples import ATTACKED, OURS, SAMPLES


def test_all_samples_are_seen() -> None:
    assert (len(ATTACKED), len(OURS)) == (62, 60)
    assert [sample.text for sample in SAMPLES if not secret_in(sample.text)] == []


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
        "PASS_MAX_DAYS 365\nENCRYPT_METHOD SHA512",
        "passwd:         files systemd\nshadow:  files",
        "password [success=1 default=ignore] pam_unix.so obscure yescrypt use_authtok",
        "password required pam_unix.so",
        "PasswordAuthentication no\nPermitEmptyPasswords no\nPubkeyAuthentication yes",
        "PWD=/app",
        "/bin/sh -c sleep 100",
        "root:x:0:0:root:/root:/bin/bash",
        "02:42:ac:11:00:02",
        "password_min_length: 12",
        "POSTGRES_PASSWORD_FILE=/run/secrets/pg",
        "ssl_certificate_key /etc/nginx/tls.key;",
        "sha256:aa6a33d294e3cdd27a83273fc8a6c5aa138b93e7d9c830c763bc28f1d6aacdc6",
        "/usr/lib/x86_64-linux-gnu/libpam.so.0",
        "passwd 1:4.13",
        "/var/run/secrets/kubernetes.io/serviceaccount/token",
        "curl -fsS http://localhost:8080/healthz",
        "mysqld --port 3306",
        "postgres -D /data -c config_file=/etc/postgresql.conf",
        "expected mode no wider than 0644, found 0666 at /etc/passwd",
        "it was not kept: it may hold a secret (a password or token)",
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
        "mysql ",
        "curl -u ",
        "a/b@",
        "<password ",
        "password:\n",
        "name: password ",
        "login a ",
        "a:b:",
        "pw ",
        "api.key",
        "a1B",
    ],
)
def test_no_text_takes_long(piece: str) -> None:
    text = (piece * 200_000)[:200_000]
    begun = time.process_time()
    secret_in(text)
    assert time.process_time() - begun < 2
    attack_ends_as("H-05-secret-patterns", outcome="time grows with the length, no faster")


def test_a_value_is_looked_at_with_its_name_and_a_list_as_one_text() -> None:
    assert secret_in_value("hunter2") == secret_in_value(["app", 7, None, True]) == ""
    assert secret_in_value("hunter2", "requirepass") == secret_in_value(48151623, "password") != ""
    assert secret_in_value(["app", "--password", "hunter2"]) == "a password on a command line"
    assert secret_in_value({"a": [{"b": b"password=hunter2"}]}) == "a password or token"


def test_words_stand_in_the_place_of_a_text_with_a_secret_and_hold_none_themselves() -> None:
    words = in_place_of("a password or token")
    assert without_secret("password=hunter2") == words == without_secret(words)
    assert without_secret("mode") == "mode"
    assert values_without_secrets({"a": ["password=hunter2", 1, None], "b": "x"}) == {
        "a": [words, 1, None],
        "b": "x",
    }
