# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Upgrades as requests: when the API server or the software of nodes is another one, the cluster's health is to be looked at,
with its canaries, because approaches depend on what nodes run."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from ..cluster.rest import RestClient
from ..requests.request import HEALTH, Request
from ..safe_text import one_line

_NODE_WORDS = ("kubeletVersion", "containerRuntimeVersion", "osImage", "kernelVersion")
_DIGITS = 16
_SHOWN = 400


@dataclass(frozen=True)
class ClusterSoftware:
    """`server`: the API server's version. `nodes`: what nodes run, each set of versions once: a node more of the same is no
    upgrade."""

    server: str
    nodes: frozenset[str]

    @property
    def digest(self) -> str:
        return hashlib.sha256("\n".join([self.server, *sorted(self.nodes)]).encode()).hexdigest()[:_DIGITS]

    @property
    def states(self) -> dict[str, str]:
        """As an event source keeps it."""
        return {"server": self.server, "nodes": "\n".join(sorted(self.nodes))}

    def request(self, cluster: str, was: Mapping[str, str]) -> Request:
        """:param was: the `states` before, for the words"""
        return Request(
            action=HEALTH,
            cluster=cluster,
            revision=f"software:{self.digest}",
            because=one_line(_because(self, was), _SHOWN),
        )


def cluster_software(client: RestClient) -> ClusterSoftware:
    """What the cluster runs now. It needs the right to list nodes.

    :raises ScanError: any reason of SCAN-2xx; connection_lost, timed_out, cancelled
    """
    server = client.get("/version").get("gitVersion")
    nodes = frozenset(
        " / ".join(one_line(str(info.get(word) or ""), 120) for word in _NODE_WORDS)
        for info in (
            (node.get("status") or {}).get("nodeInfo") or {} for node in client.list_items("/api/v1/nodes")
        )
    )
    return ClusterSoftware(one_line(str(server or ""), 120), nodes)


def _because(now: ClusterSoftware, was: Mapping[str, str]) -> str:
    if was.get("server") != now.server:
        return f"the API server was {was.get('server')} and is {now.server}"
    new = now.nodes - set(was.get("nodes", "").split("\n"))
    return f"nodes run {'; '.join(sorted(new))}" if new else "no node runs what some ran before"
