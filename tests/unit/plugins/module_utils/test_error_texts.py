# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            ScanError(
                "profile_not_found", "No profile './nope'; looked at /play/nope", tried="load profiles"
            ),
            "load profiles: No profile './nope'; looked at /play/nope. Give a shipped profile's name or the path of a profile "
            "file. (SCAN-702 profile_not_found)",
        ),
        (
            ScanError("bad_file", "waivers.yml: No such file or directory", advice="Correct its path."),
            "waivers.yml: No such file or directory. Correct its path. (SCAN-103 bad_file)",
        ),
        (
            ScanError("no_targets", "no container was selected", tried="selecting targets", advice="Look."),
            "selecting targets: no container was selected. Look. (SCAN-401 no_targets)",
        ),
    ],
)
def test_what_the_message_says_is_not_said_again(error: ScanError, text: str) -> None:
    assert str(error) == text


def test_a_cause_that_is_known_better_is_said() -> None:
    error = ScanError(
        "unreachable", "no connection to h:1: refused", cause="The proxy is down.", advice="Ask."
    )
    assert str(error) == "no connection to h:1: refused. The proxy is down. Ask. (SCAN-202 unreachable)"


def test_what_a_kind_means_is_said_where_the_message_does_not() -> None:
    error = ScanError("exec_failed", "exit status 126", advice="Look.")
    assert str(error) == (
        "exit status 126. The server could not run the program in the container. Look. (SCAN-506 exec_failed)"
    )
