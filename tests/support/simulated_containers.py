# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers for the fake API server that run a real shell of this machine, which finds the target where the test has put it.

What a shell sees of a target from beside it or of a mounted image is tested with real namespaces elsewhere
(test_view_beside.py, test_view_mounted.py). Here only the place of the target's root differs from what a cluster gives it.
"""

from __future__ import annotations

import contextlib
import io
import os
import pathlib
import threading
from typing import Callable

from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.image_helper import MOUNT_POINT
from ansible_collections.securescan.kubernetes.tests.fake_api_server.exec_streams import (
    ExecStreams,
    Program,
    run_locally,
)

# The collector's last line: before it all of its functions are known.
_LAST_LINE = b"main </dev/null\n"


def beside_target(root: pathlib.Path) -> Program:
    """A container beside a target whose root is that folder."""
    mounts = "mount=0:1 / / overlay${nl}mount=0:2 / /proc proc$nl"
    found = (
        f'enter() {{ T=$$ _w=/proc/$$; cd {root}; }}\nlook_around() {{ surroundings="{mounts}"; }}\n'.encode()
    )
    return _rewritten(lambda line: found + line if line == _LAST_LINE else line)


def with_image(root: pathlib.Path) -> Program:
    """A container of a helper pod that has an image mounted, of which that folder is the root."""
    return _rewritten(lambda line: line.replace(MOUNT_POINT.encode(), str(root).encode()))


def _rewritten(rewrite: Callable[[bytes], bytes]) -> Program:
    def program(argv: list[str], streams: ExecStreams) -> int:
        assert argv == ["sh"], "any other program of ours must not be run on this machine"
        reading, writing = os.pipe()
        incoming = io.BufferedReader(streams.stdin)

        def feed() -> None:
            with contextlib.suppress(OSError, ValueError), os.fdopen(writing, "wb", buffering=0) as shell:
                for line in incoming:
                    shell.write(rewrite(line))

        threading.Thread(target=feed, daemon=True).start()
        streams.stdin = os.fdopen(reading, "rb", buffering=0)
        return run_locally(argv, streams)

    return program
