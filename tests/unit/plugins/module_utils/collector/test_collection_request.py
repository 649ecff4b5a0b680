# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be asked for, and what is refused before any container is touched."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.contents import HASH_FILES
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import Query
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.families import FAMILIES, KINDS
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.kernel_parameters import (
    sysctl_path,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.listings import IMAGE_LISTING
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.query_rules import NO_SUBJECT
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.request import make_request
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.script import build_script
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError

SETUID = (("match", "setuid"),)


def test_repeated_queries_are_asked_once_in_order() -> None:
    first, second = Query("file", "/b"), Query("file", "/a")
    assert make_request([first, second, Query("file", "/b"), Query("os")]).queries == (
        first,
        second,
        Query("os"),
    )
    both = [Query("content", "/a", (("limit", 10),)), Query("content", "/a")]
    assert make_request(both).queries == tuple(both)


@pytest.mark.parametrize(
    "query",
    [
        Query("nothing"),
        Query("command", "id"),
        Query("python_packages"),
        Query("python_packages", "usr"),
        Query("environment_value"),
        Query("environment_value", "A=B"),
        Query("environment_value", "A\nB"),
        Query("environment_value", "A" * 256),
        Query("environment_value", "\ud800"),
        Query("file"),
        Query("file", "etc/passwd"),
        Query("file", "/a\nb"),
        Query("file", "/a\0b"),
        Query("file", "/a/../b"),
        Query("file", "/a/./b"),
        Query("file", "/a//b"),
        Query("file", "/a/"),
        Query("file", "//"),
        Query("file", "/" + "x" * 256),
        Query("file", "/x" * 2048),
        Query("file", "/\ud800x"),
        Query("passwd", "/etc/passwd"),
        Query("file", "/a", (("limit", 1),)),
        Query("content", "/a", (("limit", 0),)),
        Query("content", "/a", (("limit", True),)),
        Query("content", "/a", (("limit", "1; reboot"),)),
        Query("content", "/a", (("limit", 1), ("limit", 2))),
        Query("walk", "/a"),
        Query("walk", "/a", (("match", "setuid; reboot"),)),
        Query("walk", "/proc/1", SETUID),
        Query("walk", "/sys", SETUID),
        Query("walk", "/a", (*SETUID, ("seconds", 0))),
        Query("sysctl", "kernel"),
        Query("sysctl", "kernel..x"),
        Query("sysctl", "kernel.x y"),
        Query("sysctl", "../../etc/shadow"),
        Query("sysctl", "a/../b"),
        Query("sysctl", "kernel.$(id)"),
        Query("sysctl", ""),
        Query("content", "/proc/kmsg"),
        Query("sha256", "/proc/kmsg"),
        *(Query("content", path) for path in HASH_FILES),
    ],
    ids=lambda query: query.key[:40].encode("ascii", "backslashreplace").decode(),
)
def test_a_bad_query_is_refused(query: Query) -> None:
    with pytest.raises(ScanError) as caught:
        make_request([Query("os"), query])
    assert caught.value.reason == "bad_option"
    assert caught.value.message.encode("utf-8") and "\n" not in caught.value.message


@pytest.mark.parametrize(
    "options", [{"time_limit": 0}, {"time_limit": 1e9}, {"time_limit": float("nan")}, {"output_limit": 10}]
)
def test_bad_bounds_are_refused(options: Any) -> None:
    with pytest.raises(ScanError):
        make_request([], **options)


def test_too_much_is_refused() -> None:
    with pytest.raises(ScanError, match="at most"):
        make_request(Query("file", f"/f{number}") for number in range(2001))
    with pytest.raises(ScanError, match="bytes"):
        make_request(Query("file", f"/{number}" + "/d" * 1900) for number in range(200))


def test_every_kind_says_what_it_takes_and_gives() -> None:
    assert set(KINDS) == {*FAMILIES, IMAGE_LISTING}  # which the image answers as a listing
    assert KINDS[IMAGE_LISTING] is FAMILIES["listing"]
    for kind, family in KINDS.items():
        assert family.value and bool(family.subject.what) == (family.subject is not NO_SUBJECT), kind


def test_an_option_of_a_query_is_what_was_given_or_the_default() -> None:
    (limit,) = FAMILIES["content"].options
    assert limit.of(Query("content", "/a")) == 256 * 1024
    assert limit.of(Query("content", "/a", (("limit", 7),))) == 7


@pytest.mark.parametrize(
    "name, path",
    [
        ("kernel.pid_max", "kernel/pid_max"),
        ("net/ipv4/ip_forward", "net/ipv4/ip_forward"),
        ("net.ipv4.conf.eth0/1.forwarding", "net/ipv4/conf/eth0.1/forwarding"),
        ("net/ipv4/conf/eth0.1/forwarding", "net/ipv4/conf/eth0.1/forwarding"),
    ],
)
def test_kernel_parameters_are_named_as_sysctl_names_them(name: str, path: str) -> None:
    assert make_request([Query("sysctl", name)]) and sysctl_path(name) == "/proc/sys/" + path


@pytest.mark.parametrize(
    "nonce", ["", "abc", "0123456789ABCDEF", "0123456789abcdef\n", "'; reboot; '0123456789", "a" * 65]
)
def test_a_nonce_is_hex(nonce: str) -> None:
    with pytest.raises(ValueError, match="nonce"):
        build_script(make_request([]), nonce)


def test_the_script_holds_only_what_is_needed() -> None:
    def script(*queries: Query) -> bytes:
        return build_script(make_request(queries), "0123456789abcdef")

    small = script(Query("process_status"))
    assert len(small) < 5800 and b"find" not in small.split(b"unset GLOBIGNORE")[1] and b"<<" not in small
    everything: tuple[Query, ...] = tuple(
        Query(kind) for kind, family in FAMILIES.items() if family.subject is NO_SUBJECT
    )
    everything += tuple(Query("file", f"/etc/some/file{number}") for number in range(60))
    everything += (
        Query("content", "/etc/login.defs"),
        Query("sha256", "/bin/sh"),
        Query("readable", "/etc/shadow"),
        Query("walk", "/", SETUID),
        Query("listing", "/usr"),
        Query("sysctl", "kernel.pid_max"),
        Query("python_packages", "/usr"),
        Query("environment_value", "PATH"),
        Query("command", '["id"]'),
    )
    assert {query.kind for query in everything} == set(FAMILIES)
    assert len(script(*everything)) < 36_000
    assert b"<<" not in script(*everything)
