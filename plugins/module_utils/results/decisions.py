# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All decisions of gates on a run. The first stands in the run's summary, each later one beside it; none is rewritten.
On a run that was signed before any gate decided, the first one stands beside the summary, too.

    <run>/summary.json                          the first decision, under `gate`
    <run>/decisions/<UTC time>/decision.json    a later one
    <run>/decisions/<UTC time>/summary.md, ...  reports of it

decision.json holds:

    schema            securescan.kubernetes/decision
    schema_version    number; 1
    run_id            the run that was judged
    summary_sha256    of the run's summary.json, which it belongs to
    gate              the decision (see decision.py)
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
import tempfile
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

from ..errors import ScanError
from ..safe_text import one_line
from ..strict_json import load_json
from .checked_json import JsonObject, bad_results
from .decision import Decision
from .one_at_a_time import one_at_a_time
from .run import SUMMARY_JSON, Run, open_run
from .run_folder import RunFolder, json_bytes, summary_sha256
from .status import PASS
from .whole_file import FOLDER_MODE, read_own_file, write_failed, write_whole

DECISIONS_FOLDER = "decisions"
# Where a run's signature lies (see the room evidence). What is signed is not written any more.
EVIDENCE_FOLDER = "evidence"
DECISION_JSON = "decision.json"
SCHEMA = "securescan.kubernetes/decision"
SCHEMA_VERSION = 1
_NAME = re.compile(r"\d{8}T\d{6}\.\d{6}Z(-\d{1,4})?")
_MOST_DECISIONS = 1_000
_MAX_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True)
class KeptDecision:
    """A decision where it stands: `file` is the run's summary.json, or a decision.json, and `sha256` that file's."""

    file: Path
    sha256: str
    decision: Decision

    @property
    def is_first(self) -> bool:
        return self.file.name == SUMMARY_JSON

    @property
    def folder(self) -> Path:
        """Where its reports belong."""
        return self.file.parent


def decisions_of(run: Run) -> list[KeptDecision]:
    """All decisions on a run that was opened from its folder, in the order in which they were taken.

    :raises ScanError: `bad_results`, for one that cannot be read, is of another run, or is no decision
    """
    folder = Path(run.folder).resolve()
    first = [KeptDecision(folder / SUMMARY_JSON, run.sha256, run.gate)] if run.gate else []
    return [*first, *(_read(folder / DECISIONS_FOLDER / name, run) for name in _names(folder))]


def open_decision(run: Run, path: str) -> KeptDecision:
    """One decision on a run, by its file or folder. :raises ScanError: bad_option, for one that is none of the run;
    bad_results, as `decisions_of`"""
    folder, asked = Path(run.folder).resolve(), Path(path).resolve()
    place = asked.parent if asked.name in (SUMMARY_JSON, DECISION_JSON) else asked
    if place == folder and run.gate is not None:
        return KeptDecision(folder / SUMMARY_JSON, run.sha256, run.gate)
    if place.parent != folder / DECISIONS_FOLDER or not _NAME.fullmatch(place.name):
        raise ScanError(
            "bad_option",
            f"{path} is no decision on the run in {folder}",
            tried="reading the option decision",
            advice="Name what scan_threshold returned as `decision`, or a folder below `decisions` of the run.",
        )
    return _read(place, run)


def keep_decision(run: Run, decision: Decision, check_mode: bool = False) -> list[KeptDecision]:
    """Keeps a decision, unless the run has one that says the same by the same threshold. No other is touched.

    Two gates that decide at the same time take turns. Returns all decisions of the run; the one that was asked for comes last.

    :param run: as it was opened and judged
    :param check_mode: nothing is written; the last one is then where it would be
    :raises ScanError: write_failed; bad_results, also where the run was changed while it was judged
    """
    folder = Path(run.folder).resolve()
    if check_mode:
        return _kept(folder, run, decision, write=False)
    with one_at_a_time(folder, "another gate has been writing its decision"):
        now = open_run(str(folder))
        if _undecided(now) != _undecided(run):
            raise bad_results(str(folder / SUMMARY_JSON), "was changed while the run was judged")
        return _kept(folder, now, decision, write=True)


def _kept(folder: Path, run: Run, decision: Decision, write: bool) -> list[KeptDecision]:
    earlier = decisions_of(run)
    same = next((one for one in earlier if one.decision.is_like(decision)), None)
    if same is not None:
        return [*(one for one in earlier if one is not same), same]
    if run.gate is None and not earlier and not is_signed(folder):
        return [_write_first(folder, run.with_gate(decision), decision, write)]
    if len(earlier) >= _MOST_DECISIONS:
        raise ScanError(
            "write_failed",
            f"{folder / DECISIONS_FOLDER} holds {len(earlier) - 1} decisions already",
            tried="write the decision",
            advice="Move older ones away, with their folders.",
        )
    return [*earlier, _write_later(folder, run, decision, write)]


def is_signed(folder: Path) -> bool:
    """Whether the run in a folder has a signature, whoever made it."""
    return os.path.lexists(folder / EVIDENCE_FOLDER)


def _write_first(folder: Path, decided: Run, decision: Decision, write: bool) -> KeptDecision:
    if write:
        RunFolder(str(folder.parent), folder.name).write_summary(decided)
    return KeptDecision(folder / SUMMARY_JSON, summary_sha256(decided), decision)


def _write_later(folder: Path, run: Run, decision: Decision, write: bool) -> KeptDecision:
    """Its folder appears under its name only when it is whole."""
    data = json_bytes(
        {
            "schema": SCHEMA,
            "schema_version": SCHEMA_VERSION,
            "run_id": run.run_id,
            "summary_sha256": run.sha256,
            "gate": decision.to_json(),
        },
    )
    above = folder / DECISIONS_FOLDER
    place = _free_name(above, datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%S.%fZ"))
    kept = KeptDecision(place / DECISION_JSON, hashlib.sha256(data).hexdigest(), decision)
    if not write:
        return kept
    try:
        above.mkdir(mode=FOLDER_MODE, exist_ok=True)
        new = Path(tempfile.mkdtemp(dir=above, prefix=".new-"))
        try:
            write_whole(new / DECISION_JSON, data)
            new.chmod(FOLDER_MODE)
            new.rename(place)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
    except OSError as reason:
        raise write_failed(place, reason) from None
    return kept


def _free_name(above: Path, name: str) -> Path:
    """Names are in the order of time; a clock that stands still or was set back makes no two of them the same."""
    number = 1
    while os.path.lexists(above / (name if number == 1 else f"{name}-{number}")):
        number += 1
    return above / (name if number == 1 else f"{name}-{number}")


def _names(folder: Path) -> list[str]:
    """The names of the later decisions, the oldest first."""
    above = folder / DECISIONS_FOLDER
    try:
        if not stat.S_ISDIR(above.lstat().st_mode):
            raise bad_results(str(above), "is not a folder of decisions")
        # what begins with a dot was left by a gate that was killed while it wrote
        names = sorted(entry.name for entry in above.iterdir() if not entry.name.startswith("."))
    except FileNotFoundError:
        return []
    except OSError as reason:
        raise bad_results(str(above), f"cannot be listed: {reason.strerror or reason}") from None
    for name in names:
        if not _NAME.fullmatch(name) or not stat.S_ISDIR((above / name).lstat().st_mode):
            raise bad_results(str(above / one_line(name, 100)), "is not the folder of a decision")
    if len(names) > _MOST_DECISIONS:
        raise bad_results(str(above), f"holds more than {_MOST_DECISIONS} decisions")
    return names


def _read(place: Path, run: Run) -> KeptDecision:
    file = place / DECISION_JSON
    try:
        if not stat.S_ISDIR(place.lstat().st_mode):
            raise bad_results(str(place), "is not the folder of a decision")
        data = read_own_file(file, _MAX_BYTES)
    except OSError as reason:
        raise bad_results(str(file), f"cannot be read: {reason.strerror or reason}") from None
    if len(data) > _MAX_BYTES:
        raise bad_results(str(file), f"has more than {_MAX_BYTES} bytes")
    try:
        value = load_json(data)
    except (ValueError, RecursionError) as reason:
        raise bad_results(str(file), f"is not JSON, or is cut off: {one_line(str(reason), 200)}") from None
    if (
        not isinstance(value, dict)
        or value.get("schema") != SCHEMA
        or value.get("schema_version") != SCHEMA_VERSION
    ):
        raise bad_results(str(file), f"is not a decision of schema version {SCHEMA_VERSION}")
    given = JsonObject(value, str(file))
    if given.text("run_id") != run.run_id or given.text("summary_sha256") != run.sha256:
        raise bad_results(
            str(file), f"is a decision on another run, or {SUMMARY_JSON} was changed after it was taken"
        )
    return KeptDecision(file, hashlib.sha256(data).hexdigest(), Decision.from_json(given.object("gate")))


def _undecided(run: Run) -> Run:
    """What a scan wrote of a run, to compare: without a decision, and without what a decision changes of targets."""
    undecided = run.without_gate({target.target_id: PASS for target in run.targets if target.is_scanned})
    return replace(undecided, folder="")
