# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents of HDF that Heimdall opens as one: of the run, and of each place. The documents of single targets are in the run's
folder hdf/ already.

Each holds one profile, for readers of HDF count the first profile alone, and there is a control for each control of each target:
"baseline/C-1 @ shop/Deployment/api/api-1/app". So no target's result hides that of another, as it would where one control had the
tests of several targets. A target without results is a control that ends with an error, which readers show as a Profile Error;
where every profile was skipped, one that is Not Reviewed.

A browser cannot take any number of controls: the document of a large run is cut into several.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, TextIO

from ..results.hdf import EVIDENCE_TAG
from ..results.producer import COLLECTION, VERSION
from ..results.run import Run
from ..results.target_record import TargetRecord
from ..results.verdicts import ControlText, TargetVerdicts, Verdict, VerdictReader, run_verdicts
from ..safe_text import one_line
from .event import gap_target
from .json_text import fields, json_text, opened
from .per_control import PerControl
from .plain_event import outcome_object
from .report import ReportFolder, ReportPart

_MOST_CONTROLS = 20_000
_MOST_NAME = 500
# No dot is in it: the SAF CLI adds up wrongly what has one in the name of its profile.
_PROFILE = "securescan-kubernetes"
# Tags that say whose a control is. A profile has no say in these.
_OF_TARGET = ("target", "image", "image_digest", EVIDENCE_TAG)


def _parts(run: Run) -> Iterator[ReportPart]:
    if not run.targets and not run.gaps:
        return  # a document without controls would pass a gate of the SAF CLI
    controls = _Controls(run)
    groups = _cut(run.targets)
    for number, targets in enumerate(groups, 1):
        name = f"run {run.run_id} of {run.cluster}" + (f", part {number}" if len(groups) > 1 else "")
        gaps = number == len(groups)
        yield ReportPart(("run", str(number)), partial(_write, controls, name, targets, gaps))
    places: dict[str, list[TargetRecord]] = {}
    for target in run.targets:
        places.setdefault(target.place_id, []).append(target)
    for place_id, targets in places.items():
        yield ReportPart(("place", place_id), partial(_write, controls, place_id, targets, False))


def _cut(targets: Sequence[TargetRecord]) -> list[list[TargetRecord]]:
    """Targets in the order of the run, so many together as a reader takes; one group without any."""
    groups: list[list[TargetRecord]] = [[]]
    number = 0
    for target in targets:
        of_target = sum(target.counts.values()) if target.counts else 1
        if groups[-1] and number + of_target > _MOST_CONTROLS:
            groups.append([])
            number = 0
        groups[-1].append(target)
        number += of_target
    return groups


def _write(
    controls: _Controls, name: str, targets: Sequence[TargetRecord], gaps: bool, stream: TextIO
) -> None:
    """:param gaps: whether the names that gave no target belong to it"""
    run = controls.run
    name = one_line(name, _MOST_NAME)
    stream.write(
        opened({"platform": {"name": "kubernetes", "release": "", "target_id": name}, "version": VERSION})
    )
    profile = {
        "name": _PROFILE,
        "version": VERSION,
        "sha256": "",
        "title": name,
        "summary": f"Written by {COLLECTION}. Behind @ of a control stands the target.",
        "supports": [],
        "attributes": [],
        "groups": [],
        "status": "loaded",
    }
    stream.write(f',"statistics":{{"duration":{run.duration:f}}},"profiles":[{opened(profile)},"controls":[')
    separator = ""
    for target in run_verdicts(run, targets, controls.reader):
        stream.write(separator + controls.of_target(target))
        separator = ",\n"
    for gap in run.gaps if gaps else ():
        stream.write(separator + controls.of_target(gap_target(run, gap)))
        separator = ",\n"
    stream.write("]}]}\n")


class _Controls:
    """The controls of targets as HDF; what is the same on every target is encoded once."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.reader = VerdictReader()
        self._about = PerControl(_about)

    def of_target(self, target: TargetVerdicts) -> str:
        record = target.record
        where = one_line(record.target_id.partition("/")[2] or record.target_id, _MOST_NAME)
        tags = fields(_tags(record))
        if not target.controls:
            return self._without_controls(target, where, tags)
        title_end = json_text(
            f" [{one_line(record.namespace)}/{one_line(record.pod)}/{one_line(record.container)}]"
        )[1:]
        name_end = json_text(f" @ {where}")[1:]
        made = []
        for verdict in target.controls:
            name, title, about, own_tags = self._about.of(verdict.about)
            said = _said(verdict)
            made.append(
                f'{{"id":{name}{name_end},"title":{title}{title_end},{about},'
                f'"tags":{{{own_tags}{tags}}},{said}}}'
            )
        return ",\n".join(made)

    def _without_controls(self, target: TargetVerdicts, where: str, tags: str) -> str:
        """An error, which readers never count as passed; where every profile was skipped, a test that was."""
        outcome = outcome_object(target)
        result: dict[str, Any] = {"code_desc": f"{where} has results", "start_time": self.run.started}
        if target.record.error is None and not target.unread:
            result.update(status="skipped", skip_message=outcome["text"])
        else:
            # as InSpec writes an error
            result.update(status="failed", message=outcome["text"], exception=outcome["status"])
            result["backtrace"] = [outcome["status"]]
        control = {
            "id": f"{outcome['status']} @ {where}",
            "title": f"The target has results [{where}]",
            "desc": outcome["text"],
            "descriptions": [],
            "impact": 0.9,
            "refs": [],
            "code": "",
            "source_location": {},
            "results": [result],
        }
        return f'{opened(control)},"tags":{{{tags}}}}}'


def _tags(record: TargetRecord) -> dict[str, Any]:
    """Heimdall shows a control's tags, and little else of whose it is."""
    grade = record.evidence.grade if record.evidence else ""
    known = zip(_OF_TARGET, (record.target_id, record.image, record.image_digest, grade))
    return {name: value for name, value in known if value}


def _about(about: ControlText) -> tuple[str, str, str, str]:
    """The beginnings of id and title, as texts in JSON without their end; the other fields; its own tags, and a comma."""
    name = json_text(one_line(f"{about.profile}/{about.id}", _MOST_NAME))[:-1]
    title = json_text(one_line(about.title, _MOST_NAME))[:-1]
    described = {"rationale": about.why, "check": about.check, "fix": about.fix}
    rest = {
        "desc": about.desc,
        "descriptions": [{"label": label, "data": text} for label, text in described.items() if text],
        "impact": about.impact,
        "refs": [],
        "code": "",
        "source_location": {},
    }
    tags = {name: value for name, value in about.tags.items() if name not in _OF_TARGET}
    tags["profile"] = about.profile
    return name, title, fields(rest), fields(tags) + ","


def _said(verdict: Verdict) -> str:
    said: dict[str, Any] = {"results": verdict.tests}
    if verdict.waiver:
        said["waiver_data"] = verdict.waiver
    if verdict.attestation:
        said["attestation_data"] = verdict.attestation
    return fields(said)


REPORT = ReportFolder("hdf", "heimdall", ".json", _parts)
