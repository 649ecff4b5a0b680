# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Profiles of engines that do not exist are refused wherever profiles are named, before any cluster is touched."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.engines.registry import (
    ENGINES,
    check_references,
    engines_for,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.judging.queries import asks_for_content
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.profile import scan_profile_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.profile import (
    chosen_profiles,
    run_scan_profile,
)

FOREIGN = [
    "inspec:/profiles/dev-sec",
    "cinc:baseline",
    "openscap:ssg-debian12-ds.xml",
    "InSpec:./x",
    "inspec:",
]


def refusal(reference: str, work: Any) -> ScanError:
    with pytest.raises(ScanError) as caught:
        work()
    error = caught.value
    assert error.reason == "bad_option"
    assert reference in error.message and "does not exist in this version" in error.message
    assert "the only engine is builtin" in error.message
    assert "profile.yml" in error.advice
    return error


@pytest.mark.parametrize("reference", FOREIGN)
@pytest.mark.parametrize("tests", [False, True])
def test_scan_profile_refuses_a_profile_of_another_engine(reference: str, tests: bool) -> None:
    params = {name: rule.get("default") for name, rule in scan_profile_spec().items()}
    params.update(profiles=["container-baseline", reference], tests=tests)
    refusal(reference, lambda: run_scan_profile(params, TaskContext(check_mode=False, environ={})))


@pytest.mark.parametrize("name", ["scan_container", "scan_judgement"])
def test_tasks_that_judge_refuse_it_on_the_controller(name: str) -> None:
    """What a task judges by is read before its module or its engine is started, wherever that runs."""
    pytest.importorskip("ansible", reason="the engine's unit tests run without Ansible too")
    from importlib import import_module

    from ansible.parsing.dataloader import DataLoader
    from ansible.playbook.task import Task

    action = import_module(f"ansible_collections.securescan.kubernetes.plugins.action.{name}").ActionModule
    plugin = object.__new__(action)
    plugin._task, plugin._loader = Task(), DataLoader()
    params = {option: rule.get("default") for option, rule in action.spec().items()}
    params["profiles"] = ["openscap:ssg.xml"]
    refusal("openscap:ssg.xml", lambda: plugin.prepare(params))


def test_paths_and_names_are_no_references_to_engines(tmp_path: pathlib.Path) -> None:
    check_references(["container-baseline", "./inspec", "C:\\profiles", str(tmp_path / "a:b"), "own:profile"])


@pytest.mark.parametrize(
    ("name", "of_content"),
    [("workload-baseline", False), ("container-baseline", True), ("container-drift", True)],
)
def test_it_is_known_which_profiles_ask_for_nothing_but_settings_of_the_pod(
    name: str, of_content: bool
) -> None:
    (profile,) = chosen_profiles([name])
    assert asks_for_content(profile) is of_content


def test_profiles_are_grouped_by_their_engine_in_the_order_of_the_first() -> None:
    profiles = chosen_profiles(["workload-baseline", "container-baseline"])
    (engine,) = engines_for(profiles)
    assert engine.name == "builtin" and set(ENGINES) == {"builtin"}
    assert engines_for([]) == ()
