# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the exit status of the command says. The reasons are those of the catalogue of errors."""

from __future__ import annotations

PASSED = 0
FAILED_OTHERWISE = 1
FOUND_SOMETHING = 2
NOT_SEEN = 3
UNREACHABLE = 4
INTERRUPTED = 130

# What each says, for --help and the documentation.
MEANINGS = {
    PASSED: "the gate passed; of another subcommand: it is done",
    FAILED_OTHERWISE: "a flag, a file or a folder cannot be used, or another error",
    FOUND_SOMETHING: "the gate failed: something was found",
    NOT_SEEN: "the gate failed: something could not be scanned or not be judged; or nothing could",
    UNREACHABLE: "the cluster could not be reached",
    INTERRUPTED: "interrupted; the access is removed",
}

_FOUND = frozenset({"gate_failed"})
_UNREACHABLE = frozenset({"unreachable", "tls_failed"})
# Of what is between the cluster and the verdicts: these say that a flag or a file is wrong.
_OF_THE_COMMAND_LINE = frozenset({"no_credential"})
_NOT_JUDGED = frozenset({"bad_results", "not_scanned", "not_judged", "bad_facts"})


def exit_status(code: str, reason: str) -> int:
    """Of an error of the catalogue.

    :param code: such as SCAN-202. 2xx to 6xx stand between the cluster and a container's facts
    """
    if reason in _FOUND:
        return FOUND_SOMETHING
    if reason in _UNREACHABLE:
        return UNREACHABLE
    if reason in _NOT_JUDGED:
        return NOT_SEEN
    if reason not in _OF_THE_COMMAND_LINE and "SCAN-2" <= code[:6] <= "SCAN-6":
        return NOT_SEEN
    return FAILED_OTHERWISE
