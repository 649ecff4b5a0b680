# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `scan_verify`: the folder of a run or of a fleet run and keys in, whether it is as it was signed out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ..errors import ScanError
from ..evidence.chain import ChainCheck, verify_chain
from ..evidence.signed_folder import Fault, SignedFolder, open_signed
from ..evidence.verification import Verification, verify
from ..options.spec import Params
from ..options.verify import VerifyOptions
from ..results.fleet_run import FLEET_JSON
from ..results.run import open_run
from ..results.run_check import age_text, check_cluster
from ..safe_text import one_line
from ..text_layout import number_of
from ..times import parse_rfc3339
from .context import TaskContext

_MOST_LISTED = 50
_MOST_SAID = 5


def run_scan_verify(params: Params, context: TaskContext) -> dict[str, Any]:
    """Result keys: changed (always false), failed, msg, error, verified, run_id, key_id, key, signed, sequence,
    manifest_sha256, summary_sha256, targets, covered, faults, fault_count, uncovered, uncovered_count, chain, table (lines for
    a terminal)."""
    options = VerifyOptions.from_params(params)
    folder = Path(options.run_dir).resolve()
    found = verify(folder, options.keys)
    chain = _chain(options, folder) if options.chain and found.keyid else None
    faults = [*found.faults, *_own_faults(options, found), *(chain.faults if chain else ())]
    count = found.fault_count + len(faults) - len(found.faults)
    if found.keyid and options.cluster_name and not (folder / FLEET_JSON).exists() and not count:
        check_cluster(open_run(str(folder)), options.cluster_name)
    result: dict[str, Any] = {
        "changed": False,
        "verified": not count,
        "run_id": found.run_id,
        "key_id": found.keyid,
        "key": next((key.source for key in options.keys if key.keyid == found.keyid), ""),
        "signed": dict(found.signed),
        "sequence": found.sequence,
        "manifest_sha256": found.manifest_sha256,
        "summary_sha256": found.sha256,
        "targets": found.targets,
        "covered": len(found.files),
        "faults": [asdict(fault) for fault in faults[:_MOST_LISTED]],
        "fault_count": count,
        "uncovered": list(found.uncovered[:_MOST_LISTED]),
        "uncovered_count": len(found.uncovered),
        "chain": list(chain.run_ids[:_MOST_LISTED]) if chain else [],
        "table": [*_lines(found, faults, count, chain)],
    }
    if count:
        failure = ScanError(
            "bad_evidence" if found.keyid else "not_signed",
            f"{folder}: {_said(faults, count)}",
            tried="verify the signature",
        )
        result.update(failed=True, msg=str(failure), error=failure.record())
    elif found.uncovered:
        context.warnings.append(
            f"the signature does not cover {number_of(len(found.uncovered), 'file')} made after it, such as "
            f"{one_line(found.uncovered[0], 200)}"
        )
    return result


def _chain(options: VerifyOptions, folder: Path) -> ChainCheck | None:
    newest = open_signed(folder, options.keys)
    if not isinstance(newest, SignedFolder):
        return None
    return verify_chain(newest, options.keys, options.chain_from, options.chain_head)


def _own_faults(options: VerifyOptions, found: Verification) -> Iterator[Fault]:
    """What the options ask for besides."""
    if not found.keyid:
        return
    if found.uncovered and not options.allow_uncovered:
        for path in found.uncovered[:_MOST_LISTED]:
            yield Fault(
                "uncovered", one_line(path, 300), "was made after the signature, which does not cover it"
            )
    if options.max_age is not None:
        age = _age(str(found.signed.get("at") or ""))
        if age is None or age < -300:
            yield Fault("time", found.run_id, "does not say when it was signed, or was signed in the future")
        elif age > options.max_age:
            text = f"was signed {age_text(age)} ago, must be at most {age_text(options.max_age)}"
            yield Fault("time", found.run_id, text)


def _age(signed_at: str) -> float | None:
    try:
        return (datetime.now(timezone.utc) - parse_rfc3339(signed_at)).total_seconds()
    except (ValueError, OverflowError):
        return None


def _said(faults: list[Fault], count: int) -> str:
    said = "; ".join(one_line(f"{fault.subject}: {fault.text}", 300) for fault in faults[:_MOST_SAID])
    more = count - min(len(faults), _MOST_SAID)
    return said + (f"; and {more} more" if more > 0 else "")


def _lines(found: Verification, faults: list[Fault], count: int, chain: ChainCheck | None) -> Iterator[str]:
    if not found.keyid:
        yield "NOT SIGNED by a key that is trusted"
    else:
        signed = found.signed
        yield (
            f"{'CHANGED' if count else 'VERIFIED'}: run {one_line(found.run_id, 100)}, "
            f"{number_of(len(found.files), 'file')}, {number_of(found.targets, 'target')}, "
            f"signed at {one_line(str(signed.get('at')), 40)} by the key {found.keyid}"
        )
    for fault in faults[:_MOST_LISTED]:
        yield f"- {fault.kind}: {fault.subject}: {fault.text}"
    if count > _MOST_LISTED:
        yield f"- {count - _MOST_LISTED} more"
    if found.uncovered:
        yield f"Not covered, because made later: {one_line(', '.join(found.uncovered[:10]), 500)}" + (
            f" and {len(found.uncovered) - 10} more" if len(found.uncovered) > 10 else ""
        )
    if chain:
        yield f"Chain: {number_of(len(chain.run_ids), 'run')}" + ("" if chain.faults else ", whole")
