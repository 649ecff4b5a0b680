# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data of the page report.html: tables in columns, and each text once. page/src/data.ts is the other end of it.

    version       number; VERSION
    title, kind, made, since, writer   texts; `kind` is run, fleet run or store
    gate, gate_reasons                 the decision on all clusters (empty: none), and lines
    notes_on_data list of sentences: what was left out of the page, and why
    strings       list of texts; the first is empty. Every column called a text holds numbers of this list
    profiles      name, version, sha256: texts
    errors        code, reason, message, tried, cause, advice: texts
    controls      profile, id, title, desc, why, fix: texts; severity: place in SEVERITIES; tags: list of [name, value] texts
    vectors       list of texts: the letter of LETTERS for each control, in the order of `controls`; what is missing at the
                  end, and "-", was not asked of the target
    remarks       list of lists [control, text, control, text, ...]: why controls have their status on a target
    clusters      name, state, gate, reason, run, started, finished, baseline: texts; error: number in `errors` or -1; duration:
                  seconds; groups: list of [name, value] texts; profiles: list of numbers; gate_reasons: list of texts; unmatched:
                  list of numbers in `errors`; folder: text, or -1 where there are no documents
    places        cluster: number; namespace, kind, workload, container, team, environment: texts
    targets       place: number; pod, image, digest, node, approach, seen, hdf, unread: texts; result: place in RESULTS; grade:
                  place in GRADES or -1; error, vector, remark: numbers or -1; replicas: number; carried: text (empty: it was
                  scanned by this run); carried_age: seconds; doubts: list of texts; hdf is empty where the document has the
                  usual name
    fresh, fixed  place, control: what a gate's comparison calls new, and what no longer fails
    lives         place, control: numbers; opened, closed, due: texts; overdue: 0 or 1; reopened: number; changes: list of texts
                  (time, status, time, status, ...)
    trend         at: texts; cluster: number or -1 for all; expected, scanned, judged, overdue: numbers; one column for each
                  status and, as open_<severity>, for each severity

Texts come from containers, servers and files of others: each is bounded, and loses what steers a terminal or a parser
(`safe_text`). All of it together is bounded, too; what does not fit is left out, and `notes_on_data` says so.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from ..results.decision import FailedControl
from ..results.evidence import GRADES
from ..results.history import FindingLife, TrendPoint
from ..results.place import Place
from ..results.producer import COLLECTION, VERSION
from ..results.run import NamespaceOwner
from ..results.status import (
    FAILED,
    NOT_APPLICABLE,
    NOT_JUDGED,
    NOT_REVIEWED,
    PASSED,
    PROFILE_ERROR,
    RESULTS,
    SEVERITIES,
    STATUSES,
)
from ..results.target_record import HDF_FOLDER, ErrorRecord, TargetRecord
from ..results.unmatched import UnmatchedError
from ..results.verdicts import ControlText, TargetVerdicts, Verdict
from ..safe_text import escape_text, one_line
from .page_source import PageCluster, PageSource, cluster_of_place

DATA_VERSION = 1
ABSENT, WAIVED_LETTER = "-", "W"
# A waived control is Not Applicable in HDF's words; the page says that it is waived.
LETTERS: dict[str, str] = {
    PASSED: "P",
    FAILED: "F",
    NOT_REVIEWED: "R",
    NOT_APPLICABLE: "A",
    PROFILE_ERROR: "E",
}

_MAX_NAME = 400
_MAX_TEXT = 500
_MAX_LONG_TEXT = 1200
_MAX_TAGS = 24
# All that targets say of their controls together. The rest stands in the documents.
_MAX_REMARKS = 24 * 1024 * 1024
_MAX_REMARKS_OF_TARGET = 12_000
_MOST_CONTROLS = 20_000
_MOST_LIVES = 400_000
_MOST_POINTS = 20_000
_MOST_CHANGES = 40
_MOST_REASONS = 50
_PIECE = 4000

Column = Any  # array of numbers, or list of what is no number


class _Strings:
    """Texts, each once, by number."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._numbers: dict[str, int] = {}
        self.number("")

    def number(self, text: str) -> int:
        number = self._numbers.get(text)
        if number is None:
            number = self._numbers[text] = len(self.texts)
            self.texts.append(text)
        return number


class _Table:
    """Rows of numbers in columns; `lists` names the columns that hold lists."""

    def __init__(self, columns: Sequence[str], lists: Sequence[str] = ()) -> None:
        self.columns: dict[str, Column] = {
            name: array("d" if name == "duration" else "q") for name in columns
        }
        self.columns.update((name, []) for name in lists)
        self._appends = {name: column.append for name, column in self.columns.items()}

    def add(self, **values: Any) -> int:
        for name, append in self._appends.items():
            append(values[name])
        return len(self) - 1

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))


class PageData:
    """The tables, filled cluster by cluster. `pieces` gives the JSON."""

    def __init__(self, source: PageSource) -> None:
        self._source = source
        self._strings = _Strings()
        self._safe: dict[tuple[str, int], int] = {}
        self._once: dict[tuple[str, Any], int] = {}
        self._vectors: list[str] = []
        self._remarks: list[list[int]] = []
        self._remark_characters = 0
        self._dropped: dict[str, int] = {}
        self._cluster_notes: list[str] = []
        self._profiles = _Table(("name", "version", "sha256"))
        self._errors = _Table(("code", "reason", "message", "tried", "cause", "advice"))
        self._controls = _Table(("profile", "id", "title", "severity", "desc", "why", "fix"), ("tags",))
        self._clusters = _Table(
            (
                *("name", "state", "gate", "reason", "run", "started", "finished", "baseline", "error"),
                *("duration", "folder"),
            ),
            ("groups", "profiles", "gate_reasons", "unmatched"),
        )
        self._places = _Table(
            ("cluster", "namespace", "kind", "workload", "container", "team", "environment")
        )
        self._targets = _Table(
            (
                *("place", "pod", "image", "digest", "node", "approach", "seen", "hdf", "unread"),
                *("result", "grade", "error", "vector", "remark", "replicas", "carried", "carried_age"),
            ),
            ("doubts",),
        )
        self._fresh = _Table(("place", "control"))
        self._fixed = _Table(("place", "control"))
        self._lives = _Table(
            ("place", "control", "opened", "closed", "due", "overdue", "reopened"), ("changes",)
        )
        self._trend = _Table(
            (
                *("at", "cluster", "expected", "scanned", "judged", "overdue"),
                *STATUSES,
                *(f"open_{severity}" for severity in SEVERITIES),
            )
        )
        self._control_numbers: dict[tuple[str, str], int] = {}
        self._place_numbers: dict[str, int] = {}
        self._fill()

    def pieces(self) -> Iterator[str]:
        """The JSON in ASCII, piece by piece."""
        source = self._source
        head = {
            "version": DATA_VERSION,
            "title": one_line(source.title, _MAX_NAME),
            "kind": source.kind,
            "made": one_line(source.made, 40),
            "since": one_line(source.history.since, 40) if source.history else "",
            "writer": f"{COLLECTION} {VERSION}",
            "gate": source.gate,
            "gate_reasons": [one_line(line, _MAX_TEXT) for line in source.gate_reasons[:_MOST_REASONS]],
            "notes_on_data": self._notes(),
            "severities": SEVERITIES,
            "results": RESULTS,
            "grades": GRADES,
        }
        yield _json(head)[:-1]
        lists = (("strings", self._strings.texts), ("vectors", self._vectors), ("remarks", self._remarks))
        for name, values in lists:
            yield f',"{name}":'
            yield from _list_pieces(values)
        for name, table in (
            ("profiles", self._profiles),
            ("errors", self._errors),
            ("controls", self._controls),
            ("clusters", self._clusters),
            ("places", self._places),
            ("targets", self._targets),
            ("fresh", self._fresh),
            ("fixed", self._fixed),
            ("lives", self._lives),
            ("trend", self._trend),
        ):
            yield f',"{name}":'
            for index, (column, values) in enumerate(table.columns.items()):
                yield ("," if index else "{") + f'"{column}":'
                yield from _list_pieces(values)
            yield "}"
        yield "}"

    def _fill(self) -> None:
        names = []
        for number, cluster in enumerate(self._source.clusters()):
            names.append(cluster.name)
            self._add_cluster(number, cluster)
            self._cluster_notes += cluster.notes
            if self._source.history is None:
                self._add_lives({cluster.name: number}, cluster.lives)
        if self._source.history:
            clusters = {name: number for number, name in enumerate(names)}
            self._add_trend(clusters, self._source.history.trend(names))
            self._add_lives(clusters, self._source.history.lives(names))

    def _notes(self) -> list[str]:
        dropped = [f"Not on this page: {number} {what}." for what, number in self._dropped.items()]
        said = [*self._source.notes, *self._cluster_notes[:_MOST_REASONS]]
        return [*(one_line(note, _MAX_TEXT) for note in said), *dropped]

    def _drop(self, what: str) -> None:
        self._dropped[what] = self._dropped.get(what, 0) + 1

    def _text(self, text: str, limit: int = _MAX_NAME) -> int:
        """The number of a text on one line."""
        key = (text, limit)
        number = self._safe.get(key)
        if number is None:
            number = self._strings.number(one_line(text, limit))
            if len(text) <= _MAX_NAME:
                self._safe[key] = number
        return number

    def _lines(self, text: str) -> int:
        """The number of a text whose lines stay lines."""
        cut = text[:_MAX_LONG_TEXT] + ("…" if len(text) > _MAX_LONG_TEXT else "")
        lines = (escape_text(line.rstrip()) for line in cut.replace("\t", "    ").split("\n"))
        return self._strings.number("\n".join(lines).strip("\n"))

    def _number_once(self, table: _Table, kind: str, key: Any, values: Mapping[str, Any]) -> int:
        number = self._once.get((kind, key))
        if number is None:
            number = self._once[kind, key] = table.add(**values)
        return number

    def _error(self, error: ErrorRecord | UnmatchedError | None) -> int:
        if error is None:
            return -1
        texts = {name: self._text(getattr(error, name, ""), _MAX_TEXT) for name in self._errors.columns}
        return self._number_once(self._errors, "error", tuple(texts.values()), texts)

    def _profile(self, profile: tuple[str, str, str]) -> int:
        texts = dict(zip(("name", "version", "sha256"), map(self._text, profile)))
        return self._number_once(self._profiles, "profile", profile, texts)

    def _pairs(self, pairs: Iterable[tuple[str, str]]) -> list[list[int]]:
        return [[self._text(name), self._text(value)] for name, value in pairs]

    def _add_cluster(self, number: int, cluster: PageCluster) -> None:
        self._clusters.add(
            name=self._text(cluster.name),
            state=self._text(cluster.state),
            gate=self._text(cluster.gate),
            reason=self._text(cluster.reason),
            run=self._text(cluster.run_id),
            started=self._text(cluster.started),
            finished=self._text(cluster.finished),
            baseline=self._text(cluster.baseline),
            error=self._error(cluster.error),
            duration=float(cluster.duration),
            folder=-1 if cluster.folder is None else self._text(cluster.folder, _MAX_TEXT),
            groups=self._pairs(cluster.groups.items()),
            profiles=[self._profile(profile) for profile in cluster.profiles],
            gate_reasons=[self._text(line, _MAX_TEXT) for line in cluster.gate_reasons[:_MOST_REASONS]],
            unmatched=[self._error(error) for error in cluster.unmatched],
        )
        for target in cluster.targets():
            self._add_target(number, cluster, target)
        for table, found in ((self._fresh, cluster.new), (self._fixed, cluster.fixed)):
            self._add_changes(number, cluster.owners, table, found)

    def _add_changes(
        self,
        cluster: int,
        owners: Mapping[str, NamespaceOwner],
        table: _Table,
        found: Sequence[FailedControl],
    ) -> None:
        for one in found:
            control = self._control_numbers.get((one.profile, one.control))
            if control is None:
                self._drop("changes of controls that no document here has")
            else:
                table.add(place=self._place_of_id(cluster, one.place, owners), control=control)

    def _place_of_id(self, cluster: int, place: str, owners: Mapping[str, NamespaceOwner]) -> int:
        """The number of a place by its id; of one that no target has, its parts are read from the id."""
        number = self._place_numbers.get(place)
        if number is None:
            parts = ["", "", "", "", *place.rsplit("/", 4)]
            number = self._new_place(cluster, Place("", *parts[-4:]), place, owners)
        return number

    def _new_place(
        self, cluster: int, place: Place, place_id: str, owners: Mapping[str, NamespaceOwner]
    ) -> int:
        owner = owners.get(place.namespace)
        number = self._place_numbers[place_id] = self._places.add(
            cluster=cluster,
            namespace=self._text(place.namespace),
            kind=self._text(place.workload_kind),
            workload=self._text(place.workload),
            container=self._text(place.container),
            team=self._text(owner.team if owner else ""),
            environment=self._text(owner.environment if owner else ""),
        )
        return number

    def _add_target(self, cluster: int, about: PageCluster, target: TargetVerdicts) -> None:
        record = target.record
        place = Place.of(record)
        number = self._place_numbers.get(place.id)
        if number is None:
            number = self._new_place(cluster, place, place.id, about.owners)
        vector, remark = self._controls_of(target.controls)
        carried = record.carried
        self._targets.add(
            place=number,
            pod=self._text(record.pod),
            image=self._text(record.image),
            digest=self._text(record.image_digest),
            node=self._text(record.node),
            approach=self._text(record.approach),
            seen=self._text(record.seen),
            hdf=0 if about.folder is None else self._text(_unusual_name(record.hdf, record), _MAX_TEXT),
            unread=self._text(target.unread, _MAX_TEXT),
            # what nobody has read has not passed, whatever the summary says
            result=RESULTS.index(NOT_JUDGED if target.unread else record.result),
            grade=GRADES.index(record.evidence.grade) if record.evidence else -1,
            error=self._error(record.error),
            vector=vector,
            remark=remark,
            replicas=record.replicas,
            carried=self._text(carried.why if carried else ""),
            carried_age=int(carried.age_seconds) if carried else 0,
            doubts=[
                self._text(reason, _MAX_TEXT)
                for reason in (record.evidence.reasons[:10] if record.evidence else ())
            ],
        )

    def _controls_of(self, controls: Sequence[Verdict]) -> tuple[int, int]:
        """The numbers of a target's vector and of its remarks, -1 for none."""
        if not controls:
            return -1, -1
        letters: dict[int, str] = {}
        remarks: list[int] = []
        room = _MAX_REMARKS_OF_TARGET
        for control in controls:
            number = self._control(control.about)
            if number is None:
                continue
            letters[number] = WAIVED_LETTER if control.waived else LETTERS[control.status]
            said = ". ".join(filter(None, (control.text, control.waiver_note)))
            if not said:
                continue
            text = one_line(said, _MAX_TEXT)
            room -= len(text)
            if room < 0:
                self._drop("texts of targets that say very much; their documents have them")
                continue
            remarks += (number, self._strings.number(text))
        return self._vector(letters), self._remark(remarks)

    def _vector(self, letters: Mapping[int, str]) -> int:
        text = "".join(letters.get(number, ABSENT) for number in range(max(letters, default=-1) + 1))
        number = self._once.get(("vector", text))
        if number is None:
            number = self._once["vector", text] = len(self._vectors)
            self._vectors.append(text)
        return number

    def _remark(self, remarks: list[int]) -> int:
        if not remarks:
            return -1
        key = tuple(remarks)
        number = self._once.get(("remark", key))
        if number is None:
            size = 8 * len(remarks)
            if self._remark_characters + size > _MAX_REMARKS:
                self._drop("targets' texts, because all together are too many; the documents have them")
                return -1
            self._remark_characters += size
            number = self._once["remark", key] = len(self._remarks)
            self._remarks.append(remarks)
        return number

    def _control(self, about: ControlText) -> int | None:
        """The number of a control; one that has another severity on other targets is one more."""
        key = ("control", (about.profile, about.id, about.severity))
        number = self._once.get(key)
        if number is not None:
            return number
        if len(self._controls) >= _MOST_CONTROLS:
            self._drop("results of controls, because there are too many")
            return None
        number = self._controls.add(
            profile=self._text(about.profile),
            id=self._text(about.id),
            title=self._text(about.title, _MAX_TEXT),
            severity=SEVERITIES.index(about.severity),
            desc=self._lines(about.desc),
            why=self._lines(about.why),
            fix=self._lines(about.fix),
            tags=self._pairs(_tag_texts(about.tags)),
        )
        self._once[key] = number
        self._control_numbers.setdefault((about.profile, about.id), number)
        return number

    def _add_trend(self, clusters: Mapping[str, int], points: Iterable[TrendPoint]) -> None:
        for point in points:
            if point.cluster and point.cluster not in clusters:
                continue
            if len(self._trend) >= _MOST_POINTS:
                self._drop("points of trends, the last ones")
                continue
            counts = {status: point.controls.get(status, 0) for status in STATUSES}
            found = {f"open_{one}": point.open_findings.get(one, 0) for one in SEVERITIES}
            self._trend.add(
                at=self._text(point.at),
                cluster=clusters.get(point.cluster, -1),
                expected=point.expected,
                scanned=point.scanned,
                judged=point.judged,
                overdue=point.overdue,
                **counts,
                **found,
            )

    def _add_lives(self, clusters: Mapping[str, int], lives: Iterable[FindingLife]) -> None:
        for life in lives:
            cluster = clusters.get(cluster_of_place(life.place_id))
            control = self._control_numbers.get((life.profile, life.control_id))
            if cluster is None:
                continue
            if len(self._lives) >= _MOST_LIVES:
                self._drop("findings of the history")
                continue
            if control is None:
                about = ControlText(life.profile, life.control_id, "", life.severity, "", "", "", {})
                control = self._control(about)
            changes = [text for change in life.changes[-_MOST_CHANGES:] for text in change]
            if control is not None:
                self._lives.add(
                    place=self._place_of_id(cluster, life.place_id, {}),
                    control=control,
                    opened=self._text(life.opened),
                    closed=self._text(life.closed),
                    due=self._text(life.due),
                    overdue=int(life.overdue),
                    reopened=life.reopened,
                    changes=[self._text(text) for text in changes],
                )


def _tag_texts(tags: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Tags whose value is a text, a number or a list of them."""
    for name, value in list(tags.items())[:_MAX_TAGS]:
        values = value if isinstance(value, list) else [value]
        texts = [
            str(one) for one in values if isinstance(one, (str, int, float)) and not isinstance(one, bool)
        ]
        if texts:
            yield str(name), ", ".join(texts)


def _unusual_name(hdf: str, record: TargetRecord) -> str:
    """A document's path, empty where it is hdf/cluster_namespace_pod_container.json. It is in the run's folder, whatever its
    summary says: a link leads nowhere else."""
    hdf = hdf and f"{HDF_FOLDER}/{PurePosixPath(hdf).name}"
    usual = f"hdf/{record.cluster}_{record.namespace}_{record.pod}_{record.container}.json"
    return "" if hdf == usual else hdf


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def _list_pieces(values: Any) -> Iterator[str]:
    """A list, or an array of numbers, as JSON in pieces."""
    yield "["
    for start in range(0, len(values), _PIECE):
        yield ("," if start else "") + _json(list(values[start : start + _PIECE]))[1:-1]
    yield "]"
