# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A command line as options: types, lists, pairs, what is refused, and in which words."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.command.arguments import Arguments
from ansible_collections.securescan.kubernetes.plugins.module_utils.command.connection_words import (
    read_connection,
    read_targets,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.command.main import SUBCOMMANDS
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.scan import scan_container_spec


def read(*words: str) -> Arguments:
    return SUBCOMMANDS["scan"].line().read(words)


@pytest.mark.parametrize(
    ("words", "option", "value"),
    [
        (["-n", "shop"], "namespaces", ["shop"]),
        (["-nshop"], "namespaces", ["shop"]),
        (["--namespace=shop,billing"], "namespaces", ["shop", "billing"]),
        (["-n", "shop", "-n", "billing"], "namespaces", ["shop", "billing"]),
        (["-l", "app=api,tier in (a, b)"], "label_selectors", ["app=api", "tier in (a, b)"]),
        (["--timeout", "30"], "timeout", 30.0),
        (["--concurrency=3"], "concurrency", 3),
        (["--drift"], "drift", True),
        (["--no-resume"], "resume", False),
        (["--input", "most=3", "--input", "names=[a, b]", "--input", "text=x: y"], "inputs", None),
        (["--as", "ann", "--as-group", "dev", "--as-group", "ops"], "impersonate_groups", ["dev", "ops"]),
        (
            ["--forbidden-approaches", '[{"approaches": ["debug"]}]'],
            "forbidden_approaches",
            [{"approaches": ["debug"]}],
        ),
    ],
)
def test_a_flag_is_its_option_with_its_type(words: list[str], option: str, value: Any) -> None:
    given = read(*words).values[option]
    assert given == ({"most": 3, "names": ["a", "b"], "text": "x: y"} if value is None else value)


def test_what_is_not_given_is_the_default_of_the_option() -> None:
    params = read("--forbidden-approaches", '[{"approaches": ["debug"]}]').params(scan_container_spec())
    assert params["approach"] == "auto" and params["timeout"] == 60.0 and params["resume"] is True
    assert params["forbidden_approaches"] == [
        {"approaches": ["debug"], "namespaces": [], "label_selectors": [], "reason": None}
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--aproach", "exec"], "there is no flag --aproach, did you mean '--approach'?"),
        (["--approach", "exce"], "--approach cannot be 'exce', did you mean 'exec'?"),
        (["--timeout", "soon"], "--timeout must be a number, found 'soon'"),
        (["--timeout"], "expected one argument"),
        (["--input", "most"], "'most' is not NAME=VALUE"),
        (["-o", "xml"], "invalid choice: 'xml'"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_the_flags_name(words: list[str], said: str) -> None:
    with pytest.raises(ScanError) as refused:
        read(*words)
    assert said in str(refused.value) and refused.value.reason == "bad_option"


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["deploy/api", "-n", "shop"], {"workloads": ["deploy/api"], "namespaces": ["shop"]}),
        (["-n", "shop", "pod/a", "po/b"], {"pods": ["a", "b"], "namespaces": ["shop"]}),
        (["ns/shop"], {"namespaces": ["shop"]}),
        (["-A"], {"namespaces": ["*"]}),
        (["--namespace-selector", "team=a"], {"namespace_selectors": ["team=a"]}),
    ],
)
def test_words_name_targets_as_kubectl_does(words: list[str], found: dict[str, Any], nobody: Any) -> None:
    arguments = read(*words)
    read_targets(arguments, nobody, scan_container_spec())
    assert arguments.values == found


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["api"], "its kind is missing"),
        (["deploy/api", "pod/a"], "both would have to hold"),
        (["-A", "-n", "shop"], "exclude each other"),
    ],
)
def test_words_that_name_nothing_are_refused(words: list[str], said: str, nobody: Any) -> None:
    with pytest.raises(ScanError, match=said):
        read_targets(read(*words), nobody, scan_container_spec())


def test_verification_cannot_be_turned_off(nobody: Any) -> None:
    with pytest.raises(ScanError, match=r"always verified.*--certificate-authority"):
        read_connection(read("--insecure-skip-tls-verify"), nobody)
