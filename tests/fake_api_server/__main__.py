# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs simulated clusters for benchmarks until standard input ends:

    python -m ansible_collections.securescan.kubernetes.tests.fake_api_server --folder F --clusters 8 --targets 125

Writes F/cluster-N.kubeconfig for each and then prints "ready". Each exec takes --seconds and answers --reply.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from pathlib import Path

from .certificates import Authority
from .exec_streams import Canned
from .server import FakeApiServer


def main() -> None:
    parser = argparse.ArgumentParser(description="simulated Kubernetes clusters on loopback")
    parser.add_argument("--folder", type=Path, required=True, help="where certificates and kubeconfigs go")
    parser.add_argument("--clusters", type=int, default=1)
    parser.add_argument("--targets", type=int, default=10, help="pods of one container each, per cluster")
    parser.add_argument("--namespace", default="shop")
    parser.add_argument("--seconds", type=float, default=0.0, help="how long an exec takes")
    parser.add_argument("--reply", type=Path, help="file that every exec gives as its standard output")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    answer = Canned(options.reply.read_bytes() if options.reply else b"", seconds=options.seconds)
    with contextlib.ExitStack() as running:
        for number in range(1, options.clusters + 1):
            server = running.enter_context(FakeApiServer(Authority(options.folder)))
            for target in range(options.targets):
                server.add_pod(options.namespace, "pod-%04d" % target, {"app": answer}, node="node-%d" % (target % 10))
            config = server.kubeconfig()
            config["clusters"][0]["name"] = config["contexts"][0]["context"]["cluster"] = "cluster-%d" % number
            # JSON is YAML, too.
            (options.folder / ("cluster-%d.kubeconfig" % number)).write_text(json.dumps(config), encoding="utf-8")
        print("ready", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
