# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Order of versions, quantities, patterns, and how values are shown."""

from __future__ import annotations

import contextlib
import itertools
import time

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.safe_text import escape_text
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.quantities import parse_quantity
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary.pattern_search import (
    NotSearchedError,
    find_line,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary.patterns import check_pattern
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary.value_text import (
    bound_text,
    show,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary.value_types import version_key
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as

ORDERED = [
    [
        "1.0~~",
        "1.0~~a",
        "1.0~",
        "1.0",
        "1.0^git1",
        "1.0a",
        "1.0+dfsg",
        "1.0.1",
        "1.1",
        "1.9",
        "1.10",
        "1:0.1",
        "2:0",
    ],
    # dpkg, rpm
    ["2.36-9+deb12u4", "2.36-9+deb12u7", "2.36-10", "2.37-1"],
    ["1.2.3_alpha1-r0", "1.2.3_rc1-r0", "1.2.3-r0", "1.2.3-r1", "1.2.3-r10", "1.2.4-r0"],  # apk
    ["3.0.7-16.el9_2", "3.0.7-24.el9", "3.0.7-27.el9"],  # rpm
    ["0", "1", "v", "v1", "v2", "v10"],
]


@pytest.mark.parametrize("versions", ORDERED, ids=lambda versions: versions[1])
def test_versions_are_ordered_as_package_managers_do(versions):
    shuffled = versions[1::2] + versions[::2]
    assert sorted(shuffled, key=version_key) == versions
    for lower, higher in itertools.combinations(versions, 2):
        assert version_key(lower) < version_key(higher)


def test_a_long_version_costs_no_time():
    begun = time.process_time()
    assert version_key("9" * 500_000) > version_key("9" * 499_999 + ".1")
    assert time.process_time() - begun < 5


@pytest.mark.parametrize(
    ("left", "right"), [("1.0", "1.0"), ("1.0", "0:1.0"), ("1.01", "1.1"), ("1.0-0", "1.0"), (" 1 ", "1")]
)
def test_versions_that_are_the_same(left, right):
    assert version_key(left) == version_key(right)
    assert hash(version_key(left)) == hash(version_key(right))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1),
        ("500m", 0.5),
        ("1Ki", 1024),
        ("1k", 1000),
        ("2Gi", 2 * 2**30),
        ("1e3", 1000),
        ("1E3", 1000),
        ("1E", 1e18),
        (".5", 0.5),
        ("-1", -1),
        ("100n", 1e-7),
        (2, 2),
        (0.5, 0.5),
    ],
)
def test_quantities_are_read_as_kubernetes_does(text, number):
    assert parse_quantity(text) == pytest.approx(number)


@pytest.mark.parametrize("text", ["", "Mi", "1 Gi", "1GB", "1mi", True, None, "1e999", "0x1"])
def test_what_is_no_quantity(text):
    with pytest.raises(ValueError, match="not a Kubernetes quantity"):
        parse_quantity(text)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+",
        "(a*)*",
        "(a+)*$",
        "((a+)b)+",
        "(a|b|ab)*",
        "(?:x+y?)+",
        "(.*,)*x",
        r"(a)\1",
        "(?=(a+)+)",
        "(a{2,})+",
    ],
)
def test_patterns_that_may_explode_are_refused(pattern):
    with pytest.raises(ValueError, match="hostile"):
        check_pattern(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "^sshd$",
        r"^\s*PermitRootLogin\s+(yes|no)\s*$",
        "[a-z]+[0-9]+",
        r"(\d{1,3}\.){3}\d{1,3}",
        "(?i)^a.*b.*$",
        "(a+){1,3}",
        "[ab]*c+",
        "(ab)+",
        "(?!x)(a|b)",
    ],
)
def test_ordinary_patterns_are_accepted(pattern):
    check_pattern(pattern)


@pytest.mark.parametrize(
    "pattern", ["(", "[a", "*a", "a{2,1}", "(?P<a>x)(?P<a>y)", "a" + "(" * 500 + ")" * 500]
)
def test_what_is_no_pattern(pattern):
    with pytest.raises(ValueError, match="cannot be read"):
        check_pattern(pattern)


def test_a_hostile_text_costs_little_time():
    """The worst of what an accepted pattern may cost, for a content of the greatest size."""
    content = "\n".join(["a" * 4096] * 64)
    begun = time.perf_counter()
    for pattern, text in ((r"a*b", content), (r"\s*x", " " * 4096 + "\n" * 200_000)):
        with contextlib.suppress(NotSearchedError):  # on a slow machine
            assert find_line(pattern, text) is None
    print("seconds for hostile texts: %.2f" % (time.perf_counter() - begun))
    assert time.perf_counter() - begun < 30
    attack_ends_as("H-04-deep-documents", outcome="refused in about a second")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "nothing"),
        (True, "true"),
        (False, "false"),
        ("a", "a"),
        ("", '""'),
        (5, "5"),
        (0.5, "0.5"),
        ([1, "a", None], "[1, a, nothing]"),
        ([], "[]"),
        (list(range(12)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ... (12 in all)]"),
        (b"abc", "3 bytes"),
        ("x" * 201, "x" * 200 + "... (201 characters in all)"),
        ("\x00\t\x7f\x85\u200b\U000e0001\ud800é", "\\x00\\t\\x7f\\x85\\u200b\\U000e0001\\ud800é"),
    ],
)
def test_values_as_they_are_shown(value, text):
    assert show(value) == text


def test_escapes_do_not_pass_the_bound():
    assert len(bound_text("\x00" * 150)) < 250
    assert bound_text("\x00" * 150).endswith("(150 characters in all)")
    assert escape_text("plain text") == "plain text"
