# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options are read once: every option of a module reaches its options class, and wrong values are refused there."""

from __future__ import annotations

import dataclasses
import pathlib
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.access import (
    AccessOptions,
    scan_access_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.guard import (
    GuardTaskOptions,
    scan_guard_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.judgement import (
    JudgementOptions,
    scan_judgement_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.profile import (
    ProfileOptions,
    scan_profile_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.recycle import (
    RecycleOptions,
    scan_recycle_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.scan import (
    ScanOptions,
    scan_container_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.sidecar import (
    SidecarTaskOptions,
    scan_sidecar_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.target_info import (
    TargetInfoOptions,
    scan_target_info_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.profile import chosen_profiles

GIVEN = {
    "namespaces": ["shop"],
    "namespace": "shop",
    "workloads": ["Deployment/api"],
    "scanner_image": "x",
    "helper_namespace": "helpers",
    "output_dir": "/results",
    "run_dir": "/results/latest",
}
PAIRS = [
    (AccessOptions, scan_access_spec),
    (GuardTaskOptions, scan_guard_spec),
    (JudgementOptions, scan_judgement_spec),
    (ProfileOptions, scan_profile_spec),
    (RecycleOptions, scan_recycle_spec),
    (ScanOptions, scan_container_spec),
    (SidecarTaskOptions, scan_sidecar_spec),
    (TargetInfoOptions, scan_target_info_spec),
]
# What the controller alone uses, and fills in compiled.
ON_THE_CONTROLLER = {"profiles", "inputs"}


class Params(dict):
    """Parameters that know which of them were read."""

    def __init__(self, spec: Any, **changes: Any) -> None:
        super().__init__({name: rule.get("default") for name, rule in spec.items()})
        self.update({name: value for name, value in GIVEN.items() if name in spec})
        if "compiled_profiles" in spec:
            self["compiled_profiles"] = [each.as_dict() for each in chosen_profiles(["workload-baseline"])]
        self.update(changes)
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self.read.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.read.add(name)
        return super().get(name, default)


@pytest.mark.parametrize(("options", "spec"), PAIRS, ids=lambda each: each.__name__)
def test_every_option_of_a_module_is_read_and_no_other(options: Any, spec: Any) -> None:
    params = Params(spec(), **({"drift": True} if "drift" in spec() else {}))
    made = options.from_params(params)
    ignored = ON_THE_CONTROLLER if "compiled_profiles" in params else set()
    assert params.read - {"tests"} == set(spec()) - ignored - {"tests"}
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(made, dataclasses.fields(made)[0].name, None)


@pytest.mark.parametrize(
    ("options", "spec", "changes", "option"),
    [
        (ScanOptions, scan_container_spec, {"approach": "debug", "scanner_image": None}, "scanner_image"),
        (ScanOptions, scan_container_spec, {"debug_memory_headroom": "much"}, "debug_memory_headroom"),
        (ScanOptions, scan_container_spec, {"drift": True, "helper_namespace": None}, "drift"),
        (ScanOptions, scan_container_spec, {"lifetime": 1}, "lifetime"),
        (ScanOptions, scan_container_spec, {"limit": 0}, "limit"),
        (ScanOptions, scan_container_spec, {"compiled_profiles": None}, "profiles"),
        (
            ScanOptions,
            scan_container_spec,
            {"forbidden_approaches": [{"approaches": ["debug"]}]},
            "forbidden_approaches[0]",
        ),
        (AccessOptions, scan_access_spec, {"lifetime": 10**9}, "lifetime"),
        (AccessOptions, scan_access_spec, {"run_id": "No Label"}, "run_id"),
        (AccessOptions, scan_access_spec, {"run_id": "No Label", "state": "absent"}, "run_id"),
        (TargetInfoOptions, scan_target_info_spec, {"listed": -1}, "listed"),
        (
            TargetInfoOptions,
            scan_target_info_spec,
            {"explain": True, "approach": "image", "helper_namespace": None},
            "helper_namespace",
        ),
        (RecycleOptions, scan_recycle_spec, {"wait_timeout": 0}, "wait_timeout"),
        (RecycleOptions, scan_recycle_spec, {"concurrency": -1}, "concurrency"),
        (SidecarTaskOptions, scan_sidecar_spec, {"run_as_user": 2**31}, "run_as_user"),
        (SidecarTaskOptions, scan_sidecar_spec, {"resources": {"limits": {"cpu": "much"}}}, "resources"),
        (SidecarTaskOptions, scan_sidecar_spec, {"resources": {"limit": {}}}, "resources"),
        (SidecarTaskOptions, scan_sidecar_spec, {"scanner_image": " "}, "scanner_image"),
        (SidecarTaskOptions, scan_sidecar_spec, {"state": "absent", "manifests_only": True}, "state"),
        (ProfileOptions, scan_profile_spec, {"profiles": ["inspec:x"]}, "profiles"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_the_name_of_its_option(
    options: Any, spec: Any, changes: dict[str, Any], option: str
) -> None:
    with pytest.raises(ScanError) as caught:
        options.from_params(Params(spec(), **changes))
    assert caught.value.reason == "bad_option"
    assert caught.value.tried.startswith(f"reading the option {option}")


def test_the_lifetime_of_an_access_that_was_given_does_not_matter() -> None:
    given = {"run_id": "r", "namespaces": []}
    assert ScanOptions.from_params(Params(scan_container_spec(), lifetime=1, access=given)).access == given
    assert ScanOptions.from_params(Params(scan_container_spec(), access={})).access is None


def test_only_what_makes_an_access_needs_a_selection() -> None:
    gone = {"state": "absent", "run_id": "r", "namespaces": []}
    assert AccessOptions.from_params(Params(scan_access_spec(), **gone)).selection is None
    assert (
        AccessOptions.from_params(Params(scan_access_spec(), state="swept", namespaces=[])).selection is None
    )
    with pytest.raises(ScanError, match="no namespace was named"):
        AccessOptions.from_params(Params(scan_access_spec(), namespaces=[]))
    with pytest.raises(ScanError, match="needs the run_id"):
        AccessOptions.from_params(Params(scan_access_spec(), state="absent"))


def test_the_image_is_looked_at_only_where_drift_is_asked_for() -> None:
    options = ScanOptions.from_params(Params(scan_container_spec()))
    assert (options.drift_paths, options.approach.image_side) == ((), False)
    assert options.looking_at_images().approach.image_side
    with_drift = ScanOptions.from_params(Params(scan_container_spec(), drift=True, drift_paths=["/usr"]))
    assert with_drift.drift_paths == ("/usr",)


def test_a_summary_holds_the_selection_in_the_words_of_the_operator() -> None:
    targets = ScanOptions.from_params(Params(scan_container_spec(), workloads=["deploy/api"])).targets
    assert targets.selection.workloads == ("deployment/api",)
    assert targets.as_given["workloads"] == ["deploy/api"]


def test_a_path_in_the_home_folder_is_expanded() -> None:
    options = AccessOptions.from_params(Params(scan_access_spec(), scanner_kubeconfig="~/k"))
    assert options.kubeconfig_file == pathlib.Path.home() / "k"
