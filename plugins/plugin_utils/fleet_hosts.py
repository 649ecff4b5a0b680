# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts of a play as the clusters of a fleet run, and the hosts of the inventory that are not in the play."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

# Variables of a host, as the inventory plugin `clusters` sets them, and what a fleet run calls them.
_OF_INVENTORY = {"cluster_provider": "provider", "cluster_region": "region", "cluster_version": "version"}


def expected_clusters(task_vars: Mapping[str, Any]) -> list[dict[str, Any]]:
    """{cluster, host, groups} of each host of the play, also of those that have failed, in the play's order."""
    return [_cluster(host, _variables(host, task_vars)) for host in _hosts_of_play(task_vars)]


def clusters_elsewhere(task_vars: Mapping[str, Any]) -> list[str]:
    """Names of the clusters of the inventory that are not in the play."""
    in_play = set(_hosts_of_play(task_vars))
    others = [host for host in task_vars.get("groups", {}).get("all", ()) if host not in in_play]
    return [_name(host, _variables(host, task_vars)) for host in others]


def _hosts_of_play(task_vars: Mapping[str, Any]) -> list[str]:
    hosts: Iterable[str] = task_vars.get("ansible_play_hosts_all") or ()
    return [str(host) for host in hosts]


def _variables(host: str, task_vars: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = task_vars["hostvars"][host]
    return found


def _cluster(host: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    groups = {ours: str(variables[name]) for name, ours in _OF_INVENTORY.items() if variables.get(name)}
    own = variables.get("fleet_groups")
    if isinstance(own, Mapping):
        groups.update((str(name), str(value)) for name, value in own.items())
    return {"cluster": _name(host, variables), "host": host, "groups": groups}


def _name(host: str, variables: Mapping[str, Any]) -> str:
    """What the cluster is called in results: as the role scan has it."""
    return str(variables.get("scan_cluster_name") or "").strip() or host
