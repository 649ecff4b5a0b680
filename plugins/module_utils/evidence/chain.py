# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The chain from run to run: each manifest names the one before it in the same folder, by its digest.

`chain.json` beside the runs of a cluster (and beside the fleet runs) is its head:

    schema, schema_version   securescan.kubernetes/chain, 1
    run_id, manifest_sha256, summary_sha256, sequence   of the run that was signed last; the first one's sequence is 1
    pending                  id of a run that is being signed, empty else: a process that was killed leaves it

A run that is taken out is missed by the run after it. Whoever takes out the newest runs and turns the head back leaves nothing
that is missed: that is told only by a head that is kept elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import ScanError
from ..results.checked_json import JsonObject, JsonRecord, bad_results
from ..results.one_at_a_time import one_at_a_time
from ..results.result_file import read_bounded
from ..results.run_folder import json_bytes
from ..results.whole_file import write_whole
from ..strict_json import load_json
from .keys import TrustedKey
from .listing import is_safe_path
from .manifest import ChainPlace, PreviousRun
from .signed_folder import RUN_ENVELOPE, Fault, SignedFolder, open_signed

CHAIN_JSON = "chain.json"
SCHEMA = "securescan.kubernetes/chain"
SCHEMA_VERSION = 1
_MOST_BYTES = 64 * 1024


@dataclass(frozen=True)
class ChainHead(JsonRecord):
    """The run that was signed last."""

    run_id: str
    manifest_sha256: str
    summary_sha256: str
    sequence: int
    pending: str = ""

    @classmethod
    def from_json(cls, given: JsonObject) -> ChainHead:
        texts = {
            name: given.text(name) for name in ("run_id", "manifest_sha256", "summary_sha256", "pending")
        }
        return cls(sequence=given.whole_number("sequence"), **texts)

    @classmethod
    def of(cls, signed: SignedFolder) -> ChainHead:
        manifest = signed.manifest
        return cls(manifest.run_id, signed.manifest_sha256, manifest.sha256, manifest.chain.sequence)


_NOTHING = ChainHead("", "", "", 0)


class Chain:
    """The chain of the runs in one folder, for who signs one of them. Only within `open_chain`."""

    def __init__(self, runs: Path, keys: Sequence[TrustedKey]) -> None:
        self._runs = runs
        self._keys = keys
        self._head = self._found()

    @property
    def head(self) -> ChainHead | None:
        return self._head if self._head.sequence else None

    def next_place(self, run_id: str) -> ChainPlace:
        """The place of a run that has no signature. :raises ScanError: `bad_evidence`, where it had one"""
        head = self.head
        if head and head.run_id == run_id:
            raise ScanError(
                "bad_evidence",
                f"{self._runs / run_id}: was signed, as number {head.sequence} of its chain, and its signature is gone",
                tried="sign the results",
                advice=f"Put {RUN_ENVELOPE} back, and verify it: the results may have been changed. Where it was removed on "
                f"purpose, remove {CHAIN_JSON}, too: it is made anew of the runs that are signed.",
            )
        previous = PreviousRun(head.run_id, head.manifest_sha256, head.summary_sha256) if head else None
        return ChainPlace(self._head.sequence + 1, previous)

    def begin(self, run_id: str) -> None:
        """Notes that a run is being signed. :raises ScanError: `write_failed`"""
        self._write(replace(self._head, pending=run_id))

    def end(self, signed: SignedFolder) -> None:
        """Makes the run the head, unless a later one is. :raises ScanError: `write_failed`"""
        if signed.manifest.chain.sequence >= self._head.sequence:
            self._head = ChainHead.of(signed)
        # nothing is written where nothing changes: the folder may be one that can only be read
        if read_head(self._runs) != self._head:
            self._write(self._head)

    def _write(self, head: ChainHead) -> None:
        values = {"schema": SCHEMA, "schema_version": SCHEMA_VERSION, **head.to_json()}
        write_whole(self._runs / CHAIN_JSON, json_bytes(values))

    def _found(self) -> ChainHead:
        head = read_head(self._runs)
        if head is None:
            heads = [ChainHead.of(one) for one in signed_runs(self._runs, self._keys)]
            return max(heads, key=lambda one: one.sequence, default=_NOTHING)
        if head.pending:
            pending = open_signed(self._runs / head.pending, self._keys)
            if isinstance(pending, SignedFolder) and pending.manifest.chain.sequence == head.sequence + 1:
                return ChainHead.of(pending)
        return replace(head, pending="")


@contextmanager
def open_chain(runs: Path, keys: Sequence[TrustedKey]) -> Iterator[Chain]:
    """Whoever is in here is alone. :param keys: those of who signs. :raises ScanError: write_failed; bad_results"""
    with one_at_a_time(runs, "another run has been signed there"):
        yield Chain(runs, keys)


def read_head(runs: Path) -> ChainHead | None:
    """None where nothing was signed, or the file is gone. :raises ScanError: `bad_results`, when it is no head of a chain"""
    file = runs / CHAIN_JSON
    if not file.exists() and not file.is_symlink():
        return None
    try:
        value = load_json(read_bounded(file, _MOST_BYTES))
    except (ValueError, RecursionError):
        raise bad_results(str(file), "is not JSON") from None
    if not isinstance(value, dict) or (value.get("schema"), value.get("schema_version")) != (
        SCHEMA,
        SCHEMA_VERSION,
    ):
        raise bad_results(str(file), f"is not the head of a chain of schema version {SCHEMA_VERSION}")
    return ChainHead.from_json(JsonObject(value, str(file)))


def signed_runs(runs: Path, keys: Sequence[TrustedKey]) -> Iterator[SignedFolder]:
    """The runs in a folder that are signed by one of the keys, in no order."""
    for folder in sorted(runs.iterdir()):
        if not folder.is_symlink() and (folder / RUN_ENVELOPE).is_file():
            found = open_signed(folder, keys)
            if isinstance(found, SignedFolder) and found.manifest.run_id == folder.name:
                yield found


@dataclass(frozen=True)
class ChainCheck:
    """The runs of the chain, the newest first, and what is wrong with it."""

    run_ids: tuple[str, ...]
    faults: tuple[Fault, ...]


def verify_chain(
    newest: SignedFolder, keys: Sequence[TrustedKey], oldest: str = "", head: str = ""
) -> ChainCheck:
    """Follows the chain from a run back to the first one.

    The runs' manifests are verified, not their files: `verify` does that for one run.

    :param oldest: id of the run from which on all must be there; empty for the first one
    :param head: SHA-256 of the manifest of a run that must be in the chain, as it was kept elsewhere; empty where none was
    """
    runs, at = newest.folder.parent, newest
    seen, digests = {newest.manifest.run_id: None}, {newest.manifest_sha256}
    faults: list[Fault] = []
    while at.manifest.run_id != oldest and at.manifest.chain.previous is not None:
        step = _before(at, at.manifest.chain.previous, runs, keys)
        if isinstance(step, Fault):
            faults.append(step)
            break
        # a run that was signed once more after the next one: its results are the same
        digests |= {step.manifest_sha256, at.manifest.chain.previous.manifest_sha256}
        seen[step.manifest.run_id] = None
        at = step
    else:
        if at.manifest.run_id != oldest and at.manifest.chain.sequence != 1:
            faults.append(
                Fault("chain", at.manifest.run_id, "names no run before it, and is not the first one")
            )
    # what is older than the run from which on all must be there is not asked for
    first = at.manifest.chain.sequence if at.manifest.run_id == oldest else 1
    faults += _beside(newest, runs, keys, seen, first)
    if head and head not in digests:
        faults.append(
            Fault(
                "chain_head",
                newest.manifest.run_id,
                f"the run whose manifest has the SHA-256 {head} is not in the chain: runs were cut off, or another chain was put "
                "in its place",
            )
        )
    if oldest and oldest not in seen:
        faults.append(Fault("chain", oldest, "is not in the chain"))
    return ChainCheck(tuple(seen), tuple(faults))


def _before(
    at: SignedFolder, previous: PreviousRun, runs: Path, keys: Sequence[TrustedKey]
) -> SignedFolder | Fault:
    if not is_safe_path(previous.run_id) or "/" in previous.run_id:
        return Fault("chain", at.manifest.run_id, "the run before it has a name that is none")
    folder = runs / previous.run_id
    if folder.is_symlink() or not folder.is_dir():
        return Fault(
            "removed_run",
            previous.run_id,
            f"is not there; {at.manifest.run_id} names it as the run before it",
        )
    found = open_signed(folder, keys)
    if isinstance(found, Fault):
        return Fault("chain", previous.run_id, found.text)
    manifest = found.manifest
    if manifest.run_id != previous.run_id:
        return Fault("replayed", previous.run_id, f"its folder holds the signed run {manifest.run_id}")
    if manifest.sha256 != previous.summary_sha256:
        return Fault(
            "chain",
            previous.run_id,
            f"has other results than the run of that name before {at.manifest.run_id}",
        )
    if manifest.chain.sequence != at.manifest.chain.sequence - 1:
        return Fault("chain", previous.run_id, f"does not stand before {at.manifest.run_id}")
    return found


def _beside(
    newest: SignedFolder, runs: Path, keys: Sequence[TrustedKey], seen: Mapping[str, None], first: int
) -> Iterator[Fault]:
    """Signed runs that are not in the chain, and whose number is from the first's to the newest one's."""
    numbers = range(first, newest.manifest.chain.sequence + 1)
    for one in signed_runs(runs, keys):
        if one.manifest.run_id not in seen and one.manifest.chain.sequence in numbers:
            yield Fault(
                "beside_chain",
                one.manifest.run_id,
                "is signed, and is not in the chain: it was added, or a run after it was removed",
            )
