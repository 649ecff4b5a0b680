# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a view makes of the script, and what is made of a collector that saw no target."""

from __future__ import annotations

import random

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.collect import read_facts
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import Query
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.request import make_request
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.script import build_script
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.view import INSIDE, TargetView
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError

NONCE = "0123456789abcdef"
IMAGE, BESIDE = TargetView(mount_point="/mnt/image-1"), TargetView(container_id="ab" * 32)
REQUEST = make_request([Query("passwd"), Query("file", "/etc/motd"), Query("processes")])
IDENTITIES = b"Uid:\t%d\t%d\t%d\t%d\nGid:\t%d\t%d\t%d\t%d\nCapPrm:\t%016x\n"


def _refused(status: str, payload: bytes, view: TargetView = BESIDE) -> ScanError:
    reply = b"securescan-facts 1 %s\nframe collector %s text %d\n%s\nend 1 %s\n" % (
        NONCE.encode(),
        status.encode(),
        len(payload),
        payload,
        NONCE.encode(),
    )
    with pytest.raises(ScanError) as error:
        read_facts(REQUEST, reply, NONCE, view)
    return error.value


def _identities(uids: list[int], gids: list[int], capabilities: int) -> bytes:
    return IDENTITIES % (*uids, *gids, capabilities)


def test_the_script_from_inside_has_nothing_of_the_other_views() -> None:
    inside = build_script(REQUEST, NONCE)
    assert inside == build_script(REQUEST, NONCE, INSIDE) and b"\0" not in inside
    for word in (b"enter", b"members() { set +f; set -- /proc", b"learn", b"cgroup", b"refuse"):
        assert (word in inside) == (word.startswith(b"members")), word


def test_each_target_gets_its_own_id_and_place() -> None:
    for view, word in ((IMAGE, b"enter '/mnt/image-1'"), (BESIDE, b"enter " + b"ab" * 32)):
        text = build_script(REQUEST, NONCE, view)
        assert text.count(word) == 1 and b"\0" not in text and NONCE.encode() in text
    other = build_script(REQUEST, NONCE, TargetView(container_id="cd" * 32))
    assert other.replace(b"cd" * 32, b"ab" * 32) == build_script(REQUEST, NONCE, BESIDE)


@pytest.mark.parametrize(
    "place", ["relative", "/", "/a/../b", "/a b", "/a;b", "/a\nb", "/$(id)", "/a//b", "/a/"]
)
def test_no_other_place_gets_into_a_script(place: str) -> None:
    with pytest.raises(ValueError, match="mount point"):
        TargetView(mount_point=place)


@pytest.mark.parametrize(
    "container_id", ["x" * 64, "ab", "AB" * 32, "ab" * 33, "ab" * 31 + ";a", "containerd://" + "ab" * 32]
)
def test_no_other_id_gets_into_a_script(container_id: str) -> None:
    with pytest.raises(ValueError, match="container id"):
        TargetView(container_id=container_id)


@pytest.mark.parametrize(
    ("theirs", "ours", "cause"),
    [
        (([5] * 4, [6] * 4, 0), ([7] * 4, [6] * 4, 0), "UID 5, the scanner has 7"),
        (([5] * 4, [6] * 4, 0), ([5] * 4, [8] * 4, 0), "GID 6, the scanner has 8"),
        (([5, 0, 0, 0], [6] * 4, 0), ([5] * 4, [6] * 4, 0), "UID 0, 5, the scanner has 5"),
        (([5] * 4, [6] * 4, 1 << 12), ([5] * 4, [6] * 4, 0), "capabilities that the scanner lacks (0x1000)"),
        (([5] * 4, [6] * 4, 3), ([5] * 4, [6] * 4, 7), "not dumpable"),
    ],
)
def test_why_a_process_may_not_be_looked_into(
    theirs: tuple[list[int], list[int], int], ours: tuple[list[int], list[int], int], cause: str
) -> None:
    error = _refused("unreadable", b"17\n" + _identities(*theirs) + _identities(*ours))
    assert error.reason == "target_unreadable" and cause in error.cause and "process 17" in error.message


@pytest.mark.parametrize("view", [BESIDE, IMAGE])
@pytest.mark.parametrize("status", ["absent", "unreadable", "unsupported", "too_large", "timed_out"])
def test_any_refusal_is_one_of_two_errors(status: str, view: TargetView) -> None:
    chance = random.Random(7)
    whole = b"17\n" + _identities([5] * 4, [6] * 4, 0) * 2
    for _number in range(200):
        cut = whole[: chance.randrange(len(whole))] + chance.randbytes(chance.randrange(600))
        assert _refused(status, cut, view).reason in ("target_unreadable", "target_missing")


def test_a_refusal_is_no_answer_from_inside() -> None:
    assert _refused("absent", b"", INSIDE).reason == "incomplete_reply"
