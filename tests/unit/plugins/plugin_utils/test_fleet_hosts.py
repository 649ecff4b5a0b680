# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts of a play as the clusters of a fleet run."""

from __future__ import annotations

from typing import Any

from ansible_collections.securescan.kubernetes.plugins.plugin_utils.fleet_hosts import (
    clusters_elsewhere,
    expected_clusters,
)

TASK_VARS: dict[str, Any] = {
    "ansible_play_hosts_all": ["b", "a"],
    "groups": {"all": ["a", "b", "c"]},
    "hostvars": {
        "a": {
            "cluster_provider": "aws",
            "cluster_version": "v1.37",
            "fleet_groups": {"team": "shop", "provider": "eks"},
        },
        "b": {"scan_cluster_name": " prod "},
        "c": {"scan_cluster_name": "other"},
    },
}


def test_hosts_come_in_the_order_of_the_play_with_what_they_belong_to() -> None:
    assert expected_clusters(TASK_VARS) == [
        {"cluster": "prod", "host": "b", "groups": {}},
        {"cluster": "a", "host": "a", "groups": {"provider": "eks", "version": "v1.37", "team": "shop"}},
    ]


def test_what_the_play_leaves_out_is_named_as_results_name_it() -> None:
    assert clusters_elsewhere(TASK_VARS) == ["other"]
    assert expected_clusters({}) == [] and clusters_elsewhere({}) == []
