# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each approach declares of its evidence, and what lowers that for one target."""

from __future__ import annotations

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.approach import Collected
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.graded import (
    evidence_of,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.image_and_volumes import (
    volume_doubts,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.session import Footprint
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import Facts
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.evidence import Evidence


def debug_container(is_new: bool) -> Footprint:
    return Footprint("shop", "api-1", "securescan-abc-1", is_new)


@pytest.mark.parametrize(
    ("approach", "grade"),
    [("exec", "target"), ("debug", "beside"), ("sidecar", "beside"), ("image", "image")],
)
def test_an_approach_declares_its_grade(approach: str, grade: str) -> None:
    assert evidence_of(Collected(Facts(), approach)).grade == grade


def test_a_sidecar_always_says_that_the_target_could_prepare() -> None:
    assert "could prepare" in evidence_of(Collected(Facts(), "sidecar")).reasons[0]


def test_a_debug_container_that_was_there_before_is_a_reason() -> None:
    waited = evidence_of(Collected(Facts(), "debug", debug_container(is_new=False)))
    assert waited.grade == "beside" and "was there before this scan" in waited.reasons[0]
    assert evidence_of(Collected(Facts(), "debug", debug_container(is_new=True))) == Evidence("beside")


@pytest.mark.parametrize("approach", ["debug", "sidecar"])
def test_a_shell_that_was_open_to_the_target_is_a_reason(approach: str) -> None:
    reasons = evidence_of(Collected(Facts(collector={"shell_protected": "no"}), approach)).reasons
    assert "open to processes of the target's user" in reasons[-1]
    for said in ({"shell_protected": "yes"}, {"shell_protected": "unknown"}, {}):
        assert "open to" not in str(evidence_of(Collected(Facts(collector=said), approach)).reasons)


def test_mounts_that_nobody_explains_are_named_within_bounds() -> None:
    mounts = [f"/usr/lib/{number}\x1b[2J" for number in range(9)]
    (reason,) = evidence_of(Collected(Facts(collector={"unexplained_mounts": mounts}), "exec")).reasons
    assert "/usr/lib/4\\x1b[2J and 4 more." in reason and "\x1b" not in reason


def test_volumes_that_an_image_does_not_show_are_named_within_bounds() -> None:
    assert volume_doubts([]) == ()
    mounts = [f"/data/{number}\x1b[2J" for number in range(9)]
    seen = evidence_of(Collected(Facts(), "image", doubts=volume_doubts(mounts)))
    assert seen.grade == "image"
    assert "/data/4\\x1b[2J and 4 more." in seen.reasons[0] and "/data/5" not in seen.reasons[0]
