# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `scan_sign`: the folder of a run or of a fleet run in, its signature out, in the folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..evidence.signed_folder import RUN_ENVELOPE, TARGETS_ENVELOPES
from ..evidence.signing import Signing, sign_folder
from ..options.sign import SignOptions
from ..options.spec import Params
from ..results.fleet_run import FLEET_JSON
from ..results.folder_owners import check_folder
from ..results.run import open_run
from ..results.run_check import check_cluster
from ..text_layout import number_of
from .context import TaskContext

_MOST_LISTED = 50


def run_scan_sign(params: Params, context: TaskContext) -> dict[str, Any]:
    """Result keys: changed, run_id, key_id, sequence, manifest_sha256, summary_sha256, covered, statements, uncovered,
    uncovered_count, files, table (lines for a terminal). In check mode they say what would be signed."""
    options = SignOptions.from_params(params, context.environ)
    context.warnings += check_folder(options.run_dir, options.allow_shared_folder)
    folder = Path(options.run_dir).resolve()
    if options.cluster_name and not (folder / FLEET_JSON).exists():
        check_cluster(open_run(str(folder)), options.cluster_name)
    signing = sign_folder(
        folder,
        options.signer,
        each_target=options.each_target,
        again=options.again,
        trusted=options.trusted,
        check_mode=context.check_mode,
        say=context.say,
    )
    if signing.uncovered:
        context.warnings.append(
            f"{number_of(len(signing.uncovered), 'file')} of {folder} were made after the signature, which does not cover them "
            f"(such as {signing.uncovered[0]}); again=true signs all of it once more"
        )
    head = signing.head
    names = (RUN_ENVELOPE, *((TARGETS_ENVELOPES,) if signing.statements else ()))
    return {
        "changed": signing.changed,
        "run_id": head.run_id,
        "key_id": signing.keyid,
        "sequence": head.sequence,
        "manifest_sha256": head.manifest_sha256,
        "summary_sha256": head.summary_sha256,
        "covered": signing.files,
        "statements": signing.statements,
        "uncovered": list(signing.uncovered[:_MOST_LISTED]),
        "uncovered_count": len(signing.uncovered),
        "files": [str(folder / name) for name in names],
        "table": _lines(signing, context.check_mode),
    }


def _lines(signing: Signing, check_mode: bool) -> list[str]:
    head = signing.head
    if check_mode and signing.changed:
        return [f"Would sign {number_of(signing.files, 'file')} with the key {signing.keyid}"]
    return [
        f"Signed: {number_of(signing.files, 'file')}, by the key {signing.keyid}",
        f"Head of the chain, number {head.sequence}. SHA-256 of its manifest, to be kept elsewhere:",
        head.manifest_sha256,
    ]
