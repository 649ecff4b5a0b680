# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The details that the page about the connection shows are those of a scan of two pods, of which one has no shell."""

from __future__ import annotations

import pathlib
import re

from ansible_collections.securescan.kubernetes.tests.fake_api_server.exec_streams import no_shell, run_locally
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer
from ansible_collections.securescan.kubernetes.tests.support.empty_cluster import (  # noqa: F401
    authority,
    server,
)
from ansible_collections.securescan.kubernetes.tests.support.scans_on_fake_cluster import Cluster, Scan
from ansible_collections.securescan.kubernetes.tests.support.shown_outputs import shown
from ansible_collections.securescan.kubernetes.tests.support.simulated_containers import beside_target

# Of requests, of which there are many of a kind, the page shows the first.
SHOWN = (
    "grantor GET /api/v1/namespaces/shop/pods ->",
    "grantor POST ",
    "scanner GET /api/v1/namespaces/shop/pods/",
    "scanner exec into ",
    "shop/",
    "prod-eu/",
)


def test_the_details_of_a_scan(server: FakeApiServer, tmp_path: pathlib.Path) -> None:  # noqa: F811
    cluster = Cluster(server, beside_target(pathlib.Path("/")))
    cluster.add_pod("api-6d5f7c9b8-k52zf", run_locally)
    cluster.add_pod("edge-7c9d8b6f5-t7x2c", no_shell, image="2")
    scan = Scan(cluster, tmp_path)
    scan(approach="auto", approaches=["exec", "debug"], cluster_name="prod-eu", concurrency=1)
    assert sorted(scan.outcomes().values()) == ["debug", "exec"]
    told = "\n".join(scan.told)
    assert server.token not in told and not re.search(r"Bearer|[?&]", told)
    shown("connection.md", "details", in_page("\n".join(of_page(scan.told))), {})


def of_page(lines: list[str]) -> list[str]:
    """The first line of each kind, and all that say what became of a target: those of the second pod after all others, because
    the scan says how the first one ended while the second one is looked at already."""
    kinds: set[str] = set()
    chosen = []
    for line in lines:
        kind = re.sub(r"\d+", "", line.partition(" in ")[0])
        if line.startswith(SHOWN) and kind not in kinds:
            kinds.add(kind)
            chosen.append(f"<prod-eu> {line}")
    return sorted(chosen, key=lambda line: "/edge-" in line)


def in_page(text: str) -> str:
    """Times and sizes are examples: they differ from run to run."""
    text = re.sub(r"\d+ ms", "14 ms", text)
    text = re.sub(r"\b0 bytes sent, \d+ received", "0 bytes sent, 4821 received", text)
    text = re.sub(r"\b[1-9]\d* bytes sent, \d+ received", "1877 bytes sent, 9041 received", text)
    text = re.sub(r"securescan-[0-9a-f]{10}-[0-9a-f]{16}", "securescan-c827023c81-e2d113c007267372", text)
    return re.sub(r"\d+\.\d\d s", "0.51 s", text)
