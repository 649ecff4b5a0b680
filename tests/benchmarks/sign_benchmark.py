# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long it takes to sign a run and to verify it, and how much memory.

    python sign_benchmark.py [TARGETS [KIND ...]]

Writes a run of so many documents of 116 controls (10,000), then signs and verifies it with a key of each kind (ed25519, ecdsa,
rsa), and once with statements that are only listed (listed). Prints milliseconds for each target, and megabytes.
"""

from __future__ import annotations

import multiprocessing
import pathlib
import sys
import tempfile
import time
from collections.abc import Sequence

from ansible_collections.securescan.kubernetes.plugins.module_utils.evidence.signed_folder import (
    RUN_ENVELOPE,
    TARGETS_ENVELOPES,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.evidence.signing import sign_folder
from ansible_collections.securescan.kubernetes.plugins.module_utils.evidence.verification import verify
from ansible_collections.securescan.kubernetes.tests.benchmarks.page_benchmark import memory, write_documents
from ansible_collections.securescan.kubernetes.tests.support.signed_runs import KINDS, make_signer

LISTED = "listed"
_MEGABYTE = 1024 * 1024


def main(number: int, kinds: Sequence[str]) -> None:
    with tempfile.TemporaryDirectory() as above:
        # in a process of its own, which holds all documents
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            run_dir = pool.apply(write_documents, (pathlib.Path(above), number))
        print(f"{number} targets; before: {memory()} MB held")
        for kind in kinds:
            each = kind != LISTED
            signer = make_signer(kind if each else KINDS[0])
            for path in (RUN_ENVELOPE, TARGETS_ENVELOPES, "../chain.json"):
                (run_dir / path).unlink(missing_ok=True)
            began = time.perf_counter()
            sign_folder(run_dir, signer, each_target=each)
            signed = time.perf_counter()
            assert verify(run_dir, [signer.public]).is_verified
            verified = time.perf_counter()
            sizes = [
                (run_dir / path).stat().st_size / _MEGABYTE for path in (RUN_ENVELOPE, TARGETS_ENVELOPES)
            ]
            print(
                f"{kind}: sign {(signed - began) * 1000 / number:.2f} ms a target, "
                f"verify {(verified - signed) * 1000 / number:.2f} ms a target; manifest {sizes[0]:.1f} MB, "
                f"statements {sizes[1]:.1f} MB; {memory()} MB held"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 10_000, sys.argv[2:] or (*KINDS, LISTED))
