# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The flags are the options: each option that the command's tasks have is a flag, or there is a reason why not."""

from __future__ import annotations

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.command.arguments import CommandLine
from ansible_collections.securescan.kubernetes.plugins.module_utils.command.flags import WITHOUT_FLAG
from ansible_collections.securescan.kubernetes.plugins.module_utils.command.main import SUBCOMMANDS


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_each_option_is_a_flag_or_has_a_reason(name: str) -> None:
    line = SUBCOMMANDS[name].line()
    flags = {flag.option for flag in line.flags.values()}
    assert flags <= line.spec.keys()
    if name != "sweep":  # it is one of several things that scan_access does
        assert line.spec.keys() - flags - WITHOUT_FLAG.keys() == set()


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_no_two_flags_have_the_same_name(name: str) -> None:
    line = SUBCOMMANDS[name].line()
    written = [each for group in line.groups for flag in group.flags for each in flag.names]
    assert len(written) == len(set(written))


def test_a_secret_has_no_flag_but_the_token_that_kubectl_has() -> None:
    line = SUBCOMMANDS["scan"].line()
    secret = {flag.name for flag in line.flags.values() if line.spec[flag.option].get("no_log")}
    assert secret == {"--token"}


def test_a_reason_is_of_an_option_that_there_is() -> None:
    lines: list[CommandLine] = [each.line() for each in SUBCOMMANDS.values()]
    assert {name for name in WITHOUT_FLAG if not any(name in line.spec for line in lines)} == set()
