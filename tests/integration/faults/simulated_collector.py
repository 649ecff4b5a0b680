# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A container for the simulated cluster that answers the collector's script with what a real shell once answered."""

from __future__ import annotations

import re
import subprocess

from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.script import build_script
from ansible_collections.securescan.kubernetes.plugins.module_utils.engines.registry import engines_for
from ansible_collections.securescan.kubernetes.plugins.module_utils.profiles.compiled_profile import (
    CompiledProfile,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.scanning.scan_target import scan_request
from ansible_collections.securescan.kubernetes.tests.fake_api_server.exec_streams import STDOUT, ExecStreams
from ansible_collections.securescan.kubernetes.tests.integration.faults.faulty_scan import compiled_profiles

_NONCE = "00112233445566778899aabbccddeeff"
_HEADER = re.compile(rb"securescan-facts [0-9]+ ([0-9a-f]{32})")
# The script ends itself by its last line, as it must where standard input cannot be closed (v4).
_LAST_LINE = b"main </dev/null\n"
_PIECE = 32 * 1024
# Without the machine's list of packages, which would be most of the reply.
_PACKAGES, _NOWHERE = b"/var/lib/dpkg", b"/var/lib/none"


class SimulatedCollector:
    """Gives each script the recorded reply under the script's own nonce."""

    def __init__(self) -> None:
        request = scan_request(
            engines_for([CompiledProfile.from_dict(profile) for profile in compiled_profiles()])
        )
        script = build_script(request, _NONCE).replace(_PACKAGES, _NOWHERE)
        done = subprocess.run(["sh"], input=script, capture_output=True, check=True)
        self._reply = done.stdout

    def __call__(self, _argv: list[str], streams: ExecStreams) -> int:
        reply = self.reply_to(read_script(streams))
        for start in range(0, len(reply), _PIECE):
            streams.write(STDOUT, reply[start : start + _PIECE])
        return 0

    def reply_to(self, script: bytes) -> bytes:
        return self._reply.replace(_NONCE.encode(), _HEADER.search(script).group(1))


def read_script(streams: ExecStreams) -> bytes:
    script = b""
    while not script.endswith(_LAST_LINE):
        piece = streams.stdin.read(65536)
        if not piece:
            raise OSError("the client left before the script was whole")
        script += piece
    return script
