# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.summary import summarize
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_document,
    make_target,
)


def profile(name: str, controls: dict[str, str], parent: str = "") -> dict[str, Any]:
    """A profile of a document; `controls` maps ids to the status of their one segment, empty for no segment."""
    made = [
        make_control(control_id, *([status] if status else [])) for control_id, status in controls.items()
    ]
    entry: dict[str, Any] = make_document(make_target(), *made, profile=name)["profiles"][0]
    return dict(entry, parent_profile=parent) if parent else entry


def counted(*profiles: dict[str, Any]) -> dict[str, dict[str, str]]:
    document = {"profiles": list(profiles)}
    return {
        one.name: {control.id: control.status for control in one.controls}
        for one in summarize(document, "x.json").profiles
    }


def test_an_overlay_counts_the_results_of_its_base() -> None:
    base = profile("base", {"a": "passed", "b": "failed"}, "overlay")
    assert counted(profile("overlay", {"a": "", "b": ""}), base) == {
        "overlay": {"a": "passed", "b": "failed"}
    }


def test_what_no_overlay_took_over_counts_under_the_base() -> None:
    assert counted(
        profile("overlay", {"a": ""}), profile("base", {"a": "passed", "b": "failed"}, "overlay")
    ) == {"overlay": {"a": "passed"}, "base": {"b": "failed"}}


def test_overlays_of_overlays() -> None:
    assert counted(
        profile("top", {"a": ""}),
        profile("middle", {"a": ""}, "top"),
        profile("base", {"a": "failed"}, "middle"),
    ) == {"top": {"a": "failed"}}


def test_an_overlay_of_two_bases_and_with_a_control_of_its_own() -> None:
    assert counted(
        profile("overlay", {"a": "", "b": "", "own": "passed"}),
        profile("one", {"a": "failed"}, "overlay"),
        profile("two", {"b": "passed"}, "overlay"),
    ) == {"overlay": {"a": "failed", "b": "passed", "own": "passed"}}


def test_equal_ids_in_unrelated_profiles_stay_apart() -> None:
    """SAF would take the first one that has results for both."""
    assert counted(profile("one", {"a": ""}), profile("two", {"a": "passed"})) == {
        "one": {"a": "profile_error"},
        "two": {"a": "passed"},
    }


def test_a_parent_that_is_not_there_is_no_overlay() -> None:
    assert counted(profile("base", {"a": "failed"}, "elsewhere")) == {"base": {"a": "failed"}}


@pytest.mark.parametrize(
    "profiles",
    [
        [profile("self", {"a": "passed"}, "self")],
        [profile("one", {"a": "passed"}, "two"), profile("two", {"a": "passed"}, "one")],
    ],
)
def test_a_circle_of_parents_is_refused(profiles: list[dict[str, Any]]) -> None:
    with pytest.raises(ScanError, match=r"x\.json.*in a circle") as caught:
        counted(*profiles)
    assert caught.value.reason == "bad_results"
