# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of the approaches beforehand: their rights, what they lack, and the errors after which `auto` goes on."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.rights import (
    RIGHTS,
    covers,
    makes_pods,
    widest,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.approach_kind import (
    ApproachKind,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.choice import (
    APPROACHES,
    ENTERING,
    ApproachOptions,
    check_options,
    ways_into,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.debug_container import (
    DebugOptions,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.image_helper import (
    ImageOptions,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.registry import KINDS, kind_of
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import KINDS as ERRORS
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.own_containers import IDLE

SIDECAR = {"name": "securescan-sidecar-1-1", "restartPolicy": "Always", "command": [*IDLE, "9"]}


def test_auto_tries_the_least_footprint_first() -> None:
    assert APPROACHES == ("exec", "sidecar", "debug", "image", "auto")
    assert ENTERING == ("exec", "sidecar", "debug")


def test_an_access_knows_the_rights_of_every_approach() -> None:
    assert {kind.name: kind.rights for kind in KINDS} == RIGHTS
    assert [kind.name for kind in KINDS if kind.makes_pods] == ["image"] == list(filter(makes_pods, RIGHTS))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_auto_goes_on_after_errors_that_there_are_and_never_after_one_on_the_way(kind: ApproachKind) -> None:
    assert kind.goes_on <= set(ERRORS)
    on_the_way = {
        "bad_reply",
        "cancelled",
        "collector_failed",
        "connection_lost",
        "container_replaced",
        "incomplete_reply",
        "invalid_reply",
        "not_authenticated",
        "pod_gone",
        "pod_replaced",
        "timed_out",
        "too_much_output",
    }
    assert not kind.goes_on & on_the_way


@pytest.mark.parametrize(
    ("approaches", "expected"),
    [
        (("exec", "sidecar", "debug", "image"), "debug"),
        (("sidecar", "exec"), "exec"),
        (("sidecar",), "sidecar"),
        (("image",), ""),
        ((), ""),
    ],
)
def test_one_access_serves_all_approaches_that_are_tried(approaches: Any, expected: str) -> None:
    assert widest(approaches) == expected
    assert all(covers(expected, name) for name in approaches if name in ENTERING)


def test_an_access_over_a_pod_counts_only_approaches_that_can_enter_it() -> None:
    assert ways_into({"spec": {}}, ("exec", "sidecar", "debug", "image", "auto")) == ["exec", "debug"]
    assert ways_into({"spec": {"initContainers": [SIDECAR]}}, ("sidecar", "image")) == ["sidecar"]


@pytest.mark.parametrize(
    ("name", "image", "namespace", "option", "words"),
    [
        ("debug", "", "helpers", "scanner_image", "the approach debug needs an image for its container"),
        ("image", "", "helpers", "scanner_image", "the approach image needs an image for its container"),
        (
            "sidecar",
            "",
            "helpers",
            "scanner_image",
            "the approach sidecar needs the image of its sidecars, by which they are told from others",
        ),
        (
            "image",
            "tools:1",
            "",
            "helper_namespace",
            "the approach image needs a namespace for its helper pods",
        ),
    ],
)
def test_an_approach_names_the_option_that_it_lacks(
    name: str, image: str, namespace: str, option: str, words: str
) -> None:
    options = ApproachOptions(name, DebugOptions(image), ImageOptions(namespace, image))
    assert options.missing_option(name) == f"no {option} is given"
    with pytest.raises(ScanError) as raised:
        check_options(options)
    assert (raised.value.message, raised.value.tried) == (words, f"reading the option {option}")
    assert raised.value.advice
    assert not options.missing_option("exec")


def test_only_a_scan_tells_whether_an_image_has_a_shell() -> None:
    assert [kind.name for kind in KINDS if kind.unchanged.unknown] == ["exec"]
    assert kind_of("exec").unchanged.condition == "if the image has a shell"
