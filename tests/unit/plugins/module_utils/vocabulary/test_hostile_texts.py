# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts out of clusters meet patterns of ours, and of the operator: no time grows with the square of a text's length."""

from __future__ import annotations

import contextlib
from typing import Any, Callable

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.access import refusals as access_refusals
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches import container_start
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches import (
    refusals as approach_refusals,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster import exec_channels
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.api_errors import api_error
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports import markdown
from ansible_collections.securescan.kubernetes.plugins.module_utils.results import run_folder
from ansible_collections.securescan.kubernetes.plugins.module_utils.safe_text import escape_text, server_text
from ansible_collections.securescan.kubernetes.plugins.module_utils.strict_json import load_json
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.patterns import matches
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.quantities import parse_quantity
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary.resources import settings
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary.value_text import bound_text
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary.value_types import version_key
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as
from ansible_collections.securescan.kubernetes.tests.support.cpu_time import cpu_seconds

LENGTH = 48 * 1024
# Seconds of CPU for one text. YAML is read up to a depth and a length, which takes about a second.
SLOWEST = {"yaml": 5.0}
USUALLY = 0.7
BEGINNINGS = (
    "",
    'User "a" cannot ',
    'admission webhook "',
    "attempting to grant RBAC permissions not currently held:",
    'violates PodSecurity "restricted": ',
    "exceeded quota: ",
    "Internal error occurred: ",
    'failed to start exec "',
    "A=",
    "a: ",
)
FILLS = (
    " ",
    "a",
    "0",
    ".",
    "-",
    "\n",
    '"',
    "(",
    'containers "a", ',
    'User "',
    "Internal error occurred: ",
    'failed to start exec "a',
    'Resources:["a',
    "[",
    "{",
    "a: ",
    "- ",
    "\\",
    "1.",
    "1a",
    "\u00e9",
    "|",
    "http://",
    "\t",
    'exec: "',
    "executable file `",
    'namespace "',
)
READERS: dict[str, Callable[[str], Any]] = {
    "login_defs": settings._parse_login_defs,
    "ini": settings._parse_ini,
    "json": load_json,
    "yaml": settings._parse_yaml,
    "version": version_key,
    "quantity": parse_quantity,
    "shown": bound_text,
    "escaped": escape_text,
    "server's": server_text,
    "api error": lambda text: api_error(403, {}, text.encode(), "t"),
    "exec failure": exec_channels.exec_failure,
    "markdown": markdown.escape,
    "escalation": access_refusals._ESCALATION.search,
    "pod security": lambda text: [
        pattern.findall(text)
        for pattern in (
            approach_refusals._POD_SECURITY,
            approach_refusals._VIOLATION,
            approach_refusals._CONTAINERS,
            approach_refusals._RBAC,
            approach_refusals._NO_IMAGE_VOLUMES,
            approach_refusals._NAMESPACE,
            container_start._IMAGE,
            container_start._NO_PROGRAM,
        )
    ],
    "file name": lambda text: (run_folder._SAFE_PART.fullmatch(text), run_folder._UNSAFE.sub("_", text)),
    "operator's pattern": lambda text: matches(text, ["*a*a*a*a*a*a*a*b", "*" * 20 + "x", "*[!a]*0*?*-*x"]),
}
# Readers of what API servers and nodes say, whose patterns begin with words of theirs.
MESSAGES = ("api error", "exec failure", "escalation", "pod security")
FILLS_OF_YAML = ("{", "[", "a: ", "- ", "a\n", " ", '"', "\n")


@pytest.mark.parametrize("reader", READERS)
def test_a_hostile_text_of_48_kib_is_read_in_a_moment(reader: str) -> None:
    slowest, worst = 0.0, ""
    for beginning in BEGINNINGS if reader in MESSAGES else BEGINNINGS[:1]:
        for fill in FILLS if reader != "yaml" else FILLS_OF_YAML:
            text = beginning + fill * (LENGTH // len(fill)) + "!"

            def read(text: str = text) -> None:
                with contextlib.suppress(ValueError, RecursionError):
                    READERS[reader](text)

            seconds = cpu_seconds(read, SLOWEST.get(reader, USUALLY))
            if seconds > slowest:
                slowest, worst = seconds, f"{beginning!r} and {fill!r}"
    print(f"{reader}: {slowest:.3f} s, {worst}")
    assert slowest < SLOWEST.get(reader, USUALLY), worst
    attack_ends_as("15-other-texts", outcome="time grows with the length, no faster")
