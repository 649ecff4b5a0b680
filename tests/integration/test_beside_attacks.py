# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hostile containers that try to show a shell beside them, or in them, another file system than theirs."""

from __future__ import annotations

from ansible_collections.securescan.kubernetes.tests.support.debug_fixtures import BUSYBOX, container, pod

TWO_FACED, HARDENED = "securescan.local/two-faced:1", "securescan.local/scanner:1"


def test_try(place, scan, cluster):
    there = place()
    cluster.load_images(TWO_FACED + HARDENED)
    free = {"seccompProfile": {"type": "Unconfined"}}
    ways = ["honest", "forge", "answer", "mask", "mask-hidden", "stop", "stutter", "kill", "kill-tools"]
    there.add(
        *(pod(way, container(way, TWO_FACED, args=[way], security=free)) for way in ways),
        pod(
            "bind",
            container(
                "bind",
                TWO_FACED,
                args=["bind"],
                user=(0, 0),
                security={**free, "runAsNonRoot": False, "capabilities": {"add": ["SYS_ADMIN"]}},
            ),
        ),
        pod(
            "pivot",
            container(
                "pivot",
                TWO_FACED,
                args=["pivot"],
                user=(0, 0),
                security={**free, "runAsNonRoot": False, "capabilities": {"add": ["SYS_ADMIN"]}},
            ),
        ),
    )
    for image in (BUSYBOX, HARDENED):
        for approach in ("debug", "exec"):
            if approach == "exec" and image == HARDENED:
                continue
            done = scan(
                there.name,
                approach=approach,
                scanner_image=image,
                timeout=15.0,
                debug_match_capabilities=True,
            )
            for way, t in sorted(done.targets.items()):
                if t["outcome"] == "scanned":
                    print(
                        approach,
                        image,
                        way,
                        {k: v for k, v in t["counts"].items() if v},
                        t.get("worst_severity"),
                        flush=True,
                    )
                else:
                    print(approach, image, way, t["error"], flush=True)
    for way in ways:
        print(way, cluster.kubectl("logs", way, "-n", there.name))
