# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signs the folder of a run or of a fleet run: its statements, its manifest, its place in the chain.

Each document is read once: the bytes whose digest is signed are those of which the statement was made, and those that the run's
summary names. The manifest is written last, so a folder is signed as a whole or not at all.
"""

from __future__ import annotations

import os
import pwd
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any, Callable

from ..errors import ScanError
from ..results.checked_json import bad_results
from ..results.fleet_run import FLEET_JSON, FleetRun, open_fleet_run
from ..results.hdf import document_scan
from ..results.journal import JOURNAL
from ..results.run import Run, open_run
from ..results.verdicts import TargetVerdicts, VerdictReader
from ..results.whole_file import FOLDER_MODE, whole_file, write_failed, write_whole
from ..safe_text import one_line, printable
from ..strict_json import load_own_json
from ..times import api_time
from .chain import ChainHead, open_chain
from .envelope import IN_TOTO, Envelope, EnvelopeSignature, signed_bytes
from .keys import TrustedKey
from .later import is_in_progress
from .listing import is_safe_path, list_folder, sha256_of
from .manifest import (
    LISTED,
    NO_STATEMENTS,
    SIGNED,
    ChainPlace,
    CoveredFile,
    Manifest,
    SignedRun,
    facts_of_fleet_run,
    facts_of_run,
)
from .signed_folder import RUN_ENVELOPE, TARGETS_ENVELOPES, SignedFolder, open_signed
from .signer import Signer
from .statement import Statement
from .target_statement import target_statement
from .tool_versions import tool_versions
from .verification import check_found, verify

_MOST_FILE_BYTES = 4 * 1024 * 1024 * 1024
_TRIED = "sign the results"


@dataclass(frozen=True)
class Signing:
    """What was done. `head` is the run as the head of its chain; in check mode its digests are not known yet. `uncovered` are
    files that were made after an earlier signature, which stays as it is."""

    changed: bool
    head: ChainHead
    keyid: str
    files: int
    statements: str
    uncovered: tuple[str, ...] = ()


def sign_folder(
    folder: Path,
    signer: Signer,
    *,
    each_target: bool | None = None,
    again: bool = False,
    trusted: Sequence[TrustedKey] = (),
    check_mode: bool = False,
    say: Callable[[str], None] = lambda text: None,
) -> Signing:
    """Signs a finished run, or a fleet run that has ended.

    :param each_target: whether each target's statement gets a signature of its own; None: where the signer is fast
    :param again: what was signed before and is unchanged gets a new signature, which covers what was made since
    :param trusted: keys by which an earlier signature can have been made, beside the signer's own
    :raises ScanError: `bad_results`, for what is not finished or not what its scan wrote; `bad_evidence` and `not_signed`, for
        what was signed before and is not as it was signed, or by whom it was meant to be; `signing_failed`; `write_failed`
    """
    keys = (signer.public, *trusted)
    each = signer.is_fast if each_target is None else each_target
    with open_chain(folder.parent, keys) as chain:
        earlier = open_signed(folder, keys) if os.path.lexists(folder / RUN_ENVELOPE) else None
        uncovered: tuple[str, ...] = ()
        if earlier is not None:
            found = verify(folder, keys)
            check_found(found)
            uncovered = found.uncovered
        if isinstance(earlier, SignedFolder) and not again:
            if not check_mode:
                chain.end(earlier)
            manifest = earlier.manifest
            return Signing(
                False,
                ChainHead.of(earlier),
                earlier.key.keyid,
                len(manifest.files),
                manifest.statements,
                uncovered,
            )
        place = earlier.manifest.chain if isinstance(earlier, SignedFolder) else chain.next_place(folder.name)
        job = _Job(folder, signer, place, each, say)
        if check_mode:
            return job.planned()
        chain.begin(folder.name)
        signed = job.run()
        chain.end(signed)
    manifest = signed.manifest
    return Signing(True, ChainHead.of(signed), signer.public.keyid, len(manifest.files), manifest.statements)


class _Job:
    """One folder to be signed."""

    def __init__(
        self, folder: Path, signer: Signer, place: ChainPlace, each: bool, say: Callable[[str], None]
    ) -> None:
        self._folder = folder
        self._signer = signer
        self._place = place
        self._each = each
        self._say = say
        self._fleet_run: FleetRun | None = None
        self._run: Run | None = None
        self._scanners: set[str] = set()
        if os.path.lexists(folder / FLEET_JSON):
            self._fleet_run = open_fleet_run(str(folder))
            if not self._fleet_run.is_finished:
                raise bad_results(str(folder), "is a fleet run that has not ended")
        else:
            self._run = open_run(str(folder))
        if self.run_id != folder.name:
            raise bad_results(str(folder), f"holds the run {self.run_id}: is it another one?")

    @property
    def run_id(self) -> str:
        return self._fleet_run.fleet_run_id if self._fleet_run else self._run.run_id  # type: ignore[union-attr]

    def planned(self) -> Signing:
        head = ChainHead(self.run_id, "", self._sha256, self._place.sequence)
        return Signing(True, head, self._signer.public.keyid, len(self._paths()), self._statements)

    @property
    def _sha256(self) -> str:
        return self._fleet_run.sha256 if self._fleet_run else self._run.sha256  # type: ignore[union-attr]

    @property
    def _statements(self) -> str:
        return NO_STATEMENTS if self._fleet_run else SIGNED if self._each else LISTED

    def run(self) -> SignedFolder:
        paths = self._paths()
        _make_folder((self._folder / RUN_ENVELOPE).parent)
        known: dict[str, CoveredFile] = {}
        if self._run is not None:
            known = self._write_statements(self._run)
        files = {path: known.get(path) or self._covered(path) for path in paths}
        if self._run is not None:
            files[TARGETS_ENVELOPES] = self._covered(TARGETS_ENVELOPES)
        manifest = Manifest(
            self._fleet_run is not None,
            files,
            facts_of_fleet_run(self._fleet_run) if self._fleet_run else facts_of_run(self._run),  # type: ignore[arg-type]
            _signed_by(),
            self._statements,
            self._place,
            tuple(self._runs()),
            tuple(sorted(self._scanners)),
        )
        if manifest.sha256 != self._sha256:
            raise bad_results(str(self._folder / manifest.main_file), "was changed while it was signed")
        data = self._envelope(manifest.statement(), sign=True).to_bytes() + b"\n"
        write_whole(self._folder / RUN_ENVELOPE, data)
        opened = open_signed(self._folder, [self._signer.public])
        if not isinstance(opened, SignedFolder):
            raise ScanError("signing_failed", f"{RUN_ENVELOPE}: {opened.text}", tried=_TRIED)
        return opened

    def _paths(self) -> list[str]:
        """All files that the signature is to cover, but for its own."""
        try:
            listing = list_folder(self._folder)
        except OSError as reason:
            raise bad_results(str(self._folder), f"cannot be listed: {reason.strerror or reason}") from None
        for path, what in listing.others.items():
            raise bad_results(str(self._folder / path), what)
        for path in listing.files:
            if not is_safe_path(path):
                raise bad_results(
                    str(self._folder / one_line(path, 200)), "has a name that no file of a run has"
                )
        if not listing.is_whole:
            raise bad_results(str(self._folder), "has too many files")
        if JOURNAL in listing.files:
            raise bad_results(str(self._folder), f"is a run that has not ended: it has {JOURNAL}")
        own = (RUN_ENVELOPE, TARGETS_ENVELOPES)
        return sorted(path for path in listing.files if path not in own and not is_in_progress(path))

    def _covered(self, path: str) -> CoveredFile:
        file = self._folder / path
        try:
            digest, size = sha256_of(file, _MOST_FILE_BYTES)
        except OSError as reason:
            raise bad_results(str(file), f"cannot be read: {reason.strerror or reason}") from None
        if size > _MOST_FILE_BYTES:
            raise bad_results(str(file), f"has more than {_MOST_FILE_BYTES} bytes")
        return CoveredFile(digest, size)

    def _write_statements(self, run: Run) -> dict[str, CoveredFile]:
        """Writes a line for each target. The documents that were read for that."""
        reader, known = VerdictReader(), {}
        with whole_file(self._folder / TARGETS_ENVELOPES) as stream:
            for number, target in enumerate(run.targets, 1):
                data = run.document_bytes(target)[1] if target.hdf else b""
                document = _document(data, target.hdf)
                if data and target.hdf_sha256:
                    known[target.hdf] = CoveredFile(target.hdf_sha256, len(data))
                found = (
                    reader.take(target, partial(_same, document)) if target.hdf else TargetVerdicts(target)
                )
                scan = document_scan(document)
                if scan.get("scanner"):
                    self._scanners.add(printable(str(scan["scanner"])))
                statement = target_statement(run, found, str(scan.get("started") or ""))
                stream.write(self._envelope(statement, self._each).to_bytes() + b"\n")
                if not self._signer.is_fast and self._each and number % 10 == 0:
                    self._say(f"{number} of {len(run.targets)} targets are signed")
        return known

    def _envelope(self, statement: Statement, sign: bool) -> Envelope:
        payload = statement.to_bytes()
        if not sign:
            return Envelope(payload, IN_TOTO, ())
        signature = self._signer.sign(signed_bytes(payload))
        return Envelope(payload, IN_TOTO, (EnvelopeSignature(self._signer.public.keyid, signature),))

    def _runs(self) -> Iterator[SignedRun]:
        """The clusters' runs of a fleet run."""
        fleet_run = self._fleet_run
        for entry in fleet_run.clusters if fleet_run else ():
            if not entry.has_run:
                continue
            file = fleet_run.output_dir / entry.run_dir / RUN_ENVELOPE  # type: ignore[union-attr]
            try:
                digest = sha256_of(file, _MOST_FILE_BYTES)[0]
            except FileNotFoundError:
                digest = ""
            except OSError as reason:
                raise bad_results(str(file), f"cannot be read: {reason.strerror or reason}") from None
            yield SignedRun(entry.cluster, entry.run_id, entry.run_dir, entry.summary_sha256, digest)


def _document(data: bytes, source: str) -> Mapping[str, Any]:
    """A document whose digest is that of the summary; empty without one. :raises ScanError: `bad_results`"""
    try:
        document = load_own_json(data) if data else {}
    except (ValueError, RecursionError):
        raise bad_results(source, "is not JSON") from None
    if not isinstance(document, dict):
        raise bad_results(source, "is not a document")
    return document


def _same(document: Mapping[str, Any]) -> Mapping[str, Any]:
    return document


def _signed_by() -> dict[str, Any]:
    """Who signs, when, where and with what: as this machine says it."""
    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        user = str(os.geteuid())
    return {
        "at": api_time(datetime.now(timezone.utc)),
        "by": user,
        "machine": socket.gethostname(),
        "tools": tool_versions(),
    }


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
        if folder.is_symlink():
            raise OSError("it is a link")
    except OSError as reason:
        raise write_failed(folder, reason) from None
