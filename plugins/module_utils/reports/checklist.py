# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run as checklists: one for each target and profile, with every rule of the profile. CKL, CKLB and XCCDF are made of these.

What was not seen is there, too, so that no older checklist of it goes on as if it were of this run: each rule of a target that
was not scanned, of a profile that was skipped on it, and of a name that gave no target, is Not Reviewed and says why.
"""

from __future__ import annotations

import functools
import hashlib
import re
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..results.exception_record import ExceptionRecord
from ..results.notes import WAIVER
from ..results.run import Run
from ..results.status import NOT_REVIEWED, PROFILE_ERROR, STATUS_WORDS, segment_status
from ..results.target_record import TargetRecord
from ..results.verdicts import ControlText, TargetVerdicts, Verdict, run_verdicts
from ..results.waivers import STATUS_WITHOUT_WAIVER
from ..safe_text import one_line

# The rule of a checklist whose profile nobody has read, because no target of the run was scanned.
NO_RULES_KNOWN = "not-scanned"
# What separates tests in the details of a finding, as SAF and Heimdall write and read it.
_BETWEEN_TESTS = "\n--------------------------------\n"
# Most characters of the details of a finding; STIG Manager keeps no more than 32,767.
_MOST_DETAILS = 32_000
_MOST_NAME = 255
_MOST_TESTS = 50
_MOST_TAGS = 100
_MOST_TEST = 2_000
_SHORT = 500
_SEVERITIES = {"critical": "high", "high": "high", "medium": "medium", "low": "low", "none": "low"}
_CCI = re.compile(r"CCI-\d{6}")
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:securescan.kubernetes")
# Which test decides the status, the first of these that there is.
_ORDER = ("error", "failed", "passed", "skipped")


@dataclass(frozen=True)
class Asset:
    """What a checklist is about, on one line each.

    `name` is the same in every run for a place (cluster/namespace/kind/workload/container). Where a run has several targets of
    one place, the second is `... #2`, so that none of them writes over another. `facts` says the rest: target_id, image, ...
    """

    name: str
    target_id: str
    facts: Mapping[str, str]
    seen: str = ""


@dataclass(frozen=True)
class Checklist:
    """`why_not` says why the profile saw nothing of the target, and each control is Not Reviewed; empty where it saw it."""

    asset: Asset
    profile: str
    version: str
    controls: Sequence[Verdict]
    why_not: str = ""

    @property
    def about(self) -> tuple[str, str]:
        return self.asset.target_id, self.profile

    @property
    def benchmark(self) -> str:
        """The STIG's id where the profile follows one and its controls have it as the tag `benchmark_id`; else empty."""
        return tag(self.controls[0].about, "benchmark_id")

    @property
    def comment(self) -> str:
        """What is said of the target beside its name: a fact on each line, and at last why it was not seen."""
        facts = [f"{name}: {value}" for name, value in self.asset.facts.items()]
        return "\n".join([*facts, *([f"not seen: {self.why_not}"] if self.why_not else [])])


def checklists(run: Run) -> Iterator[Checklist]:
    """Those of targets with results first, in the run's order, then those of which nothing was seen."""
    versions = {profile.name: profile.version for profile in run.profiles}
    names = _asset_names(run.targets)
    rules: dict[str, dict[str, ControlText]] = {name: {} for name in versions}
    unseen: list[tuple[Asset, str, str]] = []
    for target in run_verdicts(run):
        record = target.record
        asset = _asset(run, record, names[record.target_id])
        by_profile: dict[str, list[Verdict]] = {}
        for verdict in target.controls:
            by_profile.setdefault(verdict.about.profile, []).append(verdict)
        for profile, controls in by_profile.items():
            known = rules.setdefault(profile, {})
            for verdict in controls:
                known.setdefault(verdict.about.id, verdict.about)
            yield Checklist(asset, profile, versions.get(profile, ""), controls)
        unseen += [(asset, name, _why_not(target, name)) for name in versions if name not in by_profile]
    for gap in run.gaps:
        asset = Asset(
            _bounded_name(gap.target_id), gap.target_id, {"target_id": one_line(gap.target_id, _SHORT)}
        )
        unseen += [(asset, name, f"Not scanned: {one_line(gap.error.message, _SHORT)}") for name in versions]
    for asset, profile, why_not in unseen:
        about = [*rules[profile].values()] or [_no_rules_known(profile)]
        controls = [Verdict(one, NOT_REVIEWED, text=why_not) for one in about]
        yield Checklist(asset, profile, versions[profile], controls, why_not)


@functools.lru_cache(maxsize=256)
def _no_rules_known(profile: str) -> ControlText:
    title = "No target of the run was scanned, so that the rules of the profile are not known"
    return ControlText(profile, NO_RULES_KNOWN, title, "medium", "", "", "", {}, 0.5)


def _why_not(target: TargetVerdicts, profile: str) -> str:
    record = target.record
    if record.error is not None:
        error = record.error
        return one_line(
            f"Not scanned: {error.message} {error.cause} {error.advice} ({error.code})", _MOST_TEST
        )
    if target.unread:
        return one_line(f"Its results are not those of the run: {target.unread}", _MOST_TEST)
    skipped = record.skipped_profiles.get(profile)
    if skipped:
        return one_line(f"The profile was skipped on the target: {skipped}", _MOST_TEST)
    return "Its results have no control of the profile."


def _asset_names(targets: Sequence[TargetRecord]) -> dict[str, str]:
    """{target id: name of its asset}"""
    names, numbers = {}, Counter[str]()
    for target in targets:
        place = target.place_id
        numbers[place] += 1
        number = f" #{numbers[place]}" if numbers[place] > 1 else ""
        names[target.target_id] = _bounded_name(place + number)
    return names


def _bounded_name(name: str) -> str:
    shown = one_line(name)
    if len(shown) <= _MOST_NAME:
        return shown
    return f"{shown[: _MOST_NAME - 17]}~{hashlib.sha256(shown.encode()).hexdigest()[:16]}"


def _asset(run: Run, record: TargetRecord, name: str) -> Asset:
    facts = {
        "target_id": record.target_id,
        "cluster_uid": run.cluster_uid or "",
        "pod_uid": record.pod_uid,
        "container_id": record.container_id,
        "image": record.image,
        "image_digest": record.image_digest,
        "node": record.node,
        "approach": record.approach,
        "evidence": record.evidence.grade if record.evidence else "",
        "replicas": str(record.replicas) if record.replicas > 1 else "",
        "carried_from_run": record.carried.run_id if record.carried else "",
        "run": run.run_id,
    }
    shown = {key: one_line(value, _SHORT) for key, value in facts.items() if value}
    return Asset(name, record.target_id, shown, record.seen)


def severity(about: ControlText) -> str:
    """high, medium or low. XCCDF has more words, but SAF takes a rule of any other for one that does not apply."""
    return _SEVERITIES[about.severity]


def tag(about: ControlText, name: str) -> str:
    """A tag that is a text, on one line; else empty."""
    value = about.tags.get(name)
    return one_line(value, _SHORT) if isinstance(value, str) else ""


def tags(about: ControlText, name: str) -> list[str]:
    """The texts of a tag that is a list, or one text; each on one line."""
    value = about.tags.get(name)
    values = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return [one_line(one, _SHORT) for one in values[:_MOST_TAGS] if isinstance(one, str)]


def ccis(about: ControlText) -> list[str]:
    return [one for one in tags(about, "cci") if _CCI.fullmatch(one)]


def details(verdict: Verdict) -> str:
    """What each test found, in SAF's form. A text of a container stays on its line, so that it cannot make a test of its own.

    Where there are too many tests, those that decide come first.
    """
    tests = verdict.tests
    if not tests:
        if verdict.status == PROFILE_ERROR:
            return "error :: TEST the control :: MESSAGE it has no tests"
        return (
            f"skipped :: TEST the control :: SKIP_MESSAGE {verdict.text}"
            if verdict.status == NOT_REVIEWED
            else ""
        )
    if len(tests) > _MOST_TESTS:
        tests = sorted(tests, key=_rank)
    said, length = [], 0
    for test in tests[:_MOST_TESTS]:
        one = _said(test)
        length += len(one) + len(_BETWEEN_TESTS)
        if length > _MOST_DETAILS:
            break
        said.append(one)
    left = len(tests) - len(said)
    more = f" (and {left} more tests)" if left else ""
    return _BETWEEN_TESTS.join(said) + more


def _rank(test: Mapping[str, Any]) -> int:
    word = segment_status(test)
    return _ORDER.index(word) if word in _ORDER else 0


def _said(test: Mapping[str, Any]) -> str:
    message, skip = str(test.get("message") or ""), str(test.get("skip_message") or "")
    kind, text = ("SKIP_MESSAGE", skip) if skip and not message else ("MESSAGE", message)
    code = str(test.get("code_desc") or "")
    make = _line if len(code) + len(text) < _SHORT else _line.__wrapped__
    return make(segment_status(test), code, kind, text)


@functools.lru_cache(maxsize=4096)
def _line(word: str, code: str, kind: str, text: str) -> str:
    head = f"{word} :: TEST {_inert(code) or 'the control'}"
    return f"{head} :: {kind} {_inert(text)}" if text else head


def _inert(text: str) -> str:
    """On one line, and without what SAF takes for the end of a test's name."""
    return one_line(text, _MOST_TEST).replace(" :: ", " : : ")


def comments(verdict: Verdict) -> str:
    """Who has decided what of it, and what the format has no word for; a line each, in SAF's form."""
    lines = []
    if verdict.status == PROFILE_ERROR:
        lines.append(f"ERROR :: Profile Error: {_inert(verdict.text) or 'the control has no tests'}")
    lines += [f"{kind.upper()} :: {_inert(text)}" for kind, text in exception_texts(verdict)]
    return "\n".join(lines)


def exception_texts(verdict: Verdict) -> list[tuple[str, str]]:
    """(WAIVER or ATTESTATION, text on one line) of each: whether it decides, who is behind it, until when, and why."""
    if not verdict.waiver and not verdict.attestation:
        return []
    without = STATUS_WORDS.get(str((verdict.waiver or {}).get(STATUS_WITHOUT_WAIVER)), "")
    return [
        (one.kind, _exception_text(one, without if one.kind == WAIVER else "")) for one in verdict.exceptions
    ]


def _exception_text(one: ExceptionRecord, without: str) -> str:
    name = "Waiver" if one.kind == WAIVER else "Attestation"
    idle = f"counts for nothing ({one.why_not})" if one.why_not else "sets nothing aside"
    said = [
        f"{name} {'in force' if one.decides else idle}",
        f"without it {without}" if one.decides and without else "",
        f"by {one.owner}" if one.owner and one.kind == WAIVER else "",
        one.people(),
        f"until {one.expires}" if one.expires else "without end",
    ]
    return f"{', '.join(filter(None, said))}: {one.reason}"


def made_id(*about: str) -> str:
    """The same UUID for the same texts, in every run."""
    name = "\0".join(about).encode("utf-8", "backslashreplace").decode("utf-8")
    return str(uuid.uuid5(_NAMESPACE, name))
