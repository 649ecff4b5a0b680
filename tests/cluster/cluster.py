# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real Kubernetes clusters on this machine, for tests.

What other programs read goes to standard output (the last line of "up" is the path of the administrator's kubeconfig);
all else goes to standard error. Needs root, Go to build with, and Debian packages that it installs itself.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from pathlib import Path

# Run as a program, this file is no part of a package: the package "cluster" is the folder that it lies in.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from cluster import image_store, lifecycle, overview, programs, runc
from cluster import state as states
from cluster.daemons import DAEMONS
from cluster.failure import ClusterError, last_lines, say
from cluster.handle import Cluster, up
from cluster.places import cluster_names


def main() -> int:
    """Do what the command line says; the exit status."""
    options = _parser().parse_args()
    # a start that is told to end takes down what it has begun
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    if os.geteuid() != 0:
        say("Only root can do this: a cluster takes namespaces, mounts, control groups and a bridge.")
        return 1
    try:
        options.act(options)
    except (ClusterError, OSError) as problem:
        say(str(problem))
        return 1
    except KeyboardInterrupt:
        say("Interrupted")
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    build = commands.add_parser("build", help="build the cluster's programs, unless they are in the cache")
    build.set_defaults(act=_build)

    bring_up = commands.add_parser("up", help="bring a cluster up, or leave a healthy one as it is")
    bring_up.add_argument("name")
    bring_up.set_defaults(act=_up)

    down = commands.add_parser("down", help="take a cluster down; nothing of it stays")
    which = down.add_mutually_exclusive_group(required=True)
    which.add_argument("name", nargs="?")
    which.add_argument("--all", action="store_true", help="every cluster")
    down.set_defaults(act=_down)

    status = commands.add_parser("status", help="list the clusters and how they are")
    status.add_argument("--json", action="store_true", help="as JSON, with process ids")
    status.set_defaults(act=_status)

    image = commands.add_parser("image", help="load image tars into a cluster and print the images' names")
    image.add_argument("name")
    image.add_argument("tar", nargs="+", type=Path)
    image.set_defaults(act=_image)

    logs = commands.add_parser("logs", help="show the ends of the logs")
    logs.add_argument("name")
    logs.add_argument("component", nargs="?", choices=[*DAEMONS, "supervisor", "audit"])
    logs.add_argument("--lines", type=int, help="how many (all daemons: 10, one: 200)")
    logs.set_defaults(act=_logs)

    component = commands.add_parser("component", help="stop, start or restart one daemon")
    component.add_argument("name")
    component.add_argument("component", choices=DAEMONS)
    component.add_argument("action", choices=["stop", "start", "restart"])
    component.set_defaults(act=_component)
    return parser


def _build(options: argparse.Namespace) -> None:
    print(programs.build())
    runc.build()


def _up(options: argparse.Namespace) -> None:
    print(up(options.name).kubeconfig)


def _down(options: argparse.Namespace) -> None:
    for name in cluster_names() if options.all else [options.name]:
        say(f"The cluster {name} is down" if lifecycle.down(name) else f"There is no cluster {name}")


def _status(options: argparse.Namespace) -> None:
    rows = overview.rows()
    print(json.dumps(rows, indent=2) if options.json else overview.table(rows))


def _image(options: argparse.Namespace) -> None:
    for name in image_store.load(states.existing(options.name), map(str, options.tar)):
        print(name)


def _logs(options: argparse.Namespace) -> None:
    state = states.existing(options.name)
    if options.component:
        print("\n".join(last_lines(state.log(options.component), options.lines or 200)))
        return
    for daemon in DAEMONS:
        print(
            f"==> {state.log(daemon)}",
            *last_lines(state.log(daemon), options.lines or 10),
            sep="\n",
            end="\n\n",
        )


def _component(options: argparse.Namespace) -> None:
    cluster = Cluster(states.existing(options.name))
    {"stop": cluster.stop, "start": cluster.start, "restart": cluster.restart}[options.action](
        options.component
    )


if __name__ == "__main__":
    sys.exit(main())
