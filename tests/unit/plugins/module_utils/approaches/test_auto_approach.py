# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""auto: the first approach that reaches a target is taken; what an image lacks is learnt; nothing hides a real failure."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.approach import Collected
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.auto import AutoApproach
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.choice import (
    ApproachOptions,
    check_options,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.debug_container import (
    DebugOptions,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.image_helper import (
    ImageOptions,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import Facts, Query
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.request import make_request
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.identity import (
    SelectedTarget,
    Target,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.pod import PodSnapshot

REQUEST = make_request([Query("os")])


class Answers:
    """An approach that answers as it is told: a reason to fail with, or "" to collect."""

    def __init__(self, name: str, **reasons: str) -> None:
        self.name, self.reasons = name, reasons
        self.asked: list[str] = []
        self.execs, self.added = 0, []  # type: ignore[var-annotated]
        self.closed = False

    def collect(self, selected: SelectedTarget, request: Any) -> Collected:
        pod = selected.target.pod
        self.asked.append(pod)
        self.execs += 1
        if self.reasons.get(pod):
            raise ScanError(self.reasons[pod], "it said no")
        return Collected(Facts(), self.name)

    def close(self) -> None:
        self.closed = True


def selected(pod: str, image_id: str = "") -> SelectedTarget:
    target = Target("c", "shop", "Pod", pod, pod, "u-" + pod, "app", image_id=image_id)
    return SelectedTarget(target, PodSnapshot("shop", pod, "u-" + pod, b""))


def test_the_first_that_reaches_it_is_taken_and_the_others_are_named() -> None:
    one, two, three = (
        Answers("exec", a="no_such_program"),
        Answers("debug", a="target_privileged"),
        Answers("image"),
    )
    auto = AutoApproach([one, two, three], {})
    collected = auto.collect(selected("a"), REQUEST)
    assert collected.approach == "image"
    assert collected.passed_over == (("exec", "no_such_program"), ("debug", "target_privileged"))
    assert auto.execs == 3
    auto.close()
    assert one.closed and two.closed and three.closed


def test_an_image_without_a_shell_is_asked_once() -> None:
    one, two = Answers("exec", a="no_such_program", b="no_such_program"), Answers("debug")
    auto = AutoApproach([one, two], {})
    for pod in ("a", "b"):
        assert auto.collect(selected(pod, "sha256:1"), REQUEST).passed_over == (("exec", "no_such_program"),)
    auto.collect(selected("c", "sha256:2"), REQUEST)
    auto.collect(selected("b"), REQUEST)
    assert one.asked == ["a", "c", "b"], (
        "the second of the same image was not asked, one of an unknown image is"
    )


def test_what_one_pod_is_refused_is_not_learnt_of_its_image() -> None:
    one = Answers("exec", a="container_not_running")
    auto = AutoApproach([one, Answers("image")], {})
    assert [auto.collect(selected(pod, "sha256:1"), REQUEST).approach for pod in ("a", "b")] == [
        "image",
        "exec",
    ]


@pytest.mark.parametrize(
    "reason",
    [
        "incomplete_reply",
        "timed_out",
        "connection_lost",
        "too_much_output",
        "pod_replaced",
        "collector_failed",
        "cancelled",
        "not_authenticated",
    ],
)
def test_a_failure_on_the_way_is_the_targets_result(reason: str) -> None:
    later = Answers("image")
    with pytest.raises(ScanError) as raised:
        AutoApproach([Answers("exec", a=reason), later], {}).collect(selected("a"), REQUEST)
    assert raised.value.reason == reason and later.asked == []


def test_where_none_reaches_it_each_has_its_say() -> None:
    auto = AutoApproach(
        [Answers("exec", a="no_such_program"), Answers("debug", a="debug_refused")], {"image": "not given"}
    )
    with pytest.raises(ScanError) as raised:
        auto.collect(selected("a"), REQUEST)
    assert raised.value.reason == "no_approach"
    assert all(
        word in raised.value.message
        for word in ("exec:", "no_such_program", "debug_refused", "image: not given")
    )


OPTIONS: dict[str, Any] = {
    "name": "auto",
    "debug": DebugOptions("tools:1"),
    "image": ImageOptions("helpers", "tools:1"),
}


@pytest.mark.parametrize(
    ("changes", "chosen"),
    [
        ({}, ("exec", "sidecar", "debug", "image")),
        ({"order": ("image", "exec")}, ("image", "exec")),
        ({"debug": DebugOptions("")}, ("exec",)),
        ({"image": ImageOptions("", "tools:1")}, ("exec", "sidecar", "debug")),
        ({"name": "debug"}, ("debug",)),
    ],
)
def test_auto_tries_the_approaches_whose_options_are_given(changes: dict[str, Any], chosen: Any) -> None:
    options = ApproachOptions(**dict(OPTIONS, **changes))
    check_options(options)
    assert options.chosen() == chosen


@pytest.mark.parametrize(
    "changes",
    [
        {"order": ()},
        {"order": ("exec", "exec")},
        {"order": ("debug",), "debug": DebugOptions("")},
        {"name": "image", "image": ImageOptions("", "tools:1")},
        {"name": "image", "debug": DebugOptions("")},
        {"debug": DebugOptions("tools:1", keep_alive=-1)},
    ],
)
def test_options_that_cannot_work_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ScanError) as raised:
        check_options(ApproachOptions(**dict(OPTIONS, **changes)))
    assert raised.value.reason == "bad_option"
