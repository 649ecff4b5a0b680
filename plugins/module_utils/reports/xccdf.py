# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""XCCDF 1.2 results, one document for each target and profile: a Benchmark with the profile's rules, and the TestResult in it.

The Benchmark is there because readers look for the rules beside their results. It has no checks that a SCAP scanner can run, so
its status is `incomplete`.

Each result has one message: what the tests found, then a line for a waiver and an attestation. XCCDF has the element `override`
for them, but the rules by which OpenSCAP validates refuse a TestResult in which one rule has an override and another has none.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TextIO

from ..results.percent import percentage, rounded_down
from ..results.producer import COLLECTION, VERSION
from ..results.run import Run
from ..results.status import (
    FAILED,
    NOT_APPLICABLE,
    NOT_REVIEWED,
    PASSED,
    PROFILE_ERROR,
)
from ..results.verdicts import ControlText, Verdict
from ..safe_text import kept_values, one_line
from .checklist import Checklist, ccis, checklists, details, exception_texts, severity, tag, tags
from .moments import NO_TIME, moment_of
from .per_control import PerControl
from .report import ReportFolder, ReportPart
from .xml_text import element, xml_name, xml_text

NAMESPACE = "http://checklists.nist.gov/xccdf/1.2"
_RESULT_WORDS = {
    PASSED: "pass",
    FAILED: "fail",
    NOT_REVIEWED: "notchecked",
    NOT_APPLICABLE: "notapplicable",
    PROFILE_ERROR: "error",
}
_MESSAGE_SEVERITY = {PROFILE_ERROR: "error", FAILED: "warning"}
_SYSTEM = f"urn:{COLLECTION}"
_DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"
_CCI_SYSTEM = "http://cyber.mil/cci"
_NIST = "https://doi.org/10.6028/NIST.SP.800-53r5"
_DISA_RULE = re.compile(r"SV-\d+r\d+_rule")


def _parts(run: Run) -> Iterator[ReportPart]:
    benchmarks = _Benchmarks()
    for checklist in checklists(run):
        yield ReportPart(checklist.about, partial(_write, run, checklist, benchmarks))


REPORT = ReportFolder("xccdf", "xccdf", ".xml", _parts)


def _write(run: Run, checklist: Checklist, benchmarks: _Benchmarks, stream: TextIO) -> None:
    asset, benchmark = checklist.asset, _benchmark_id(checklist)
    end = moment_of(asset.seen) or moment_of(run.finished) or NO_TIME
    about = hashlib.sha256(
        "\0".join((run.run_id, *checklist.about)).encode("utf-8", "backslashreplace")
    ).hexdigest()
    facts = "".join(
        element("fact", value, name=f"{_SYSTEM}:fact:{name}", type="string") + "\n"
        for name, value in asset.facts.items()
    )
    remark = element("remark", checklist.why_not) + "\n" if checklist.why_not else ""
    head = (
        f'<TestResult id="xccdf_{COLLECTION}_testresult_{about[:32]}" end-time="{end}" '
        f'test-system="{COLLECTION}:{VERSION}" version="{xml_text(one_line(checklist.version))}">\n'
        f'<benchmark href="#{benchmark}" id="{benchmark}"/>\n'
        f"{element('title', f'{asset.name} {one_line(checklist.profile)}')}\n{remark}"
        f"{element('target', asset.name)}\n<target-facts>\n{facts}</target-facts>\n"
    )
    results = [_rule_result(one, benchmarks.rule_ids.of(one.about), end) for one in checklist.controls]
    counts = Counter(verdict.status for verdict in checklist.controls)
    counted = len(checklist.controls) - counts[NOT_APPLICABLE]
    score = rounded_down(percentage(counts[PASSED], counted))
    tail = f'<score system="{_SYSTEM}:scoring:compliance" maximum="100">{score}</score>\n</TestResult>\n</Benchmark>\n'
    stream.write("".join((benchmarks.head(run, checklist), head, *results, tail)))


def _rule_result(verdict: Verdict, rule_id: str, end: str) -> str:
    lines = [
        f'<rule-result idref="{rule_id}" time="{end}" severity="{severity(verdict.about)}">\n'
        f"<result>{_RESULT_WORDS[verdict.status]}</result>\n"
    ]
    found = "\n".join(filter(None, (details(verdict), *(text for _kind, text in exception_texts(verdict)))))
    if found:
        kind = _MESSAGE_SEVERITY.get(verdict.status, "info")
        lines.append(f'<message severity="{kind}">{xml_text(found)}</message>\n')
    lines.append(f'<check system="{_SYSTEM}"/>\n</rule-result>\n')
    return "".join(lines)


class _Benchmarks:
    """What is the same on every target, made once."""

    def __init__(self) -> None:
        self._heads: dict[str, tuple[Sequence[ControlText], str]] = {}
        self.rule_ids = PerControl(_rule_id)

    def head(self, run: Run, checklist: Checklist) -> str:
        """The document up to its TestResult. That of the last target is kept for each profile."""
        about = [verdict.about for verdict in checklist.controls]
        known = self._heads.get(checklist.profile)
        if known is None or len(known[0]) != len(about) or any(map(_is_other, known[0], about)):
            known = self._heads[checklist.profile] = (about, self._head(run, checklist, about))
        return known[1]

    def _head(self, run: Run, checklist: Checklist, about: Sequence[ControlText]) -> str:
        profile = one_line(checklist.profile)
        day = (moment_of(run.started) or NO_TIME)[: len("2026-11-30")]
        creator = element("dc:creator", f"{COLLECTION} {VERSION}", **{"xmlns:dc": _DUBLIN_CORE})
        rules = "".join(_rule(one, self.rule_ids.of(one)) for one in about)
        return (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<Benchmark xmlns="{NAMESPACE}" '
            f'id="{_benchmark_id(checklist)}" resolved="1" xml:lang="en">\n'
            f'<status date="{day}">incomplete</status>\n{element("title", profile)}\n'
            f"{element('description', f'The rules of the profile {profile} of {COLLECTION}, without their checks.')}\n"
            f"{element('version', one_line(checklist.version))}\n<metadata>{creator}</metadata>\n{rules}"
        )


def _is_other(one: ControlText, another: ControlText) -> bool:
    return one is not another


def _rule(about: ControlText, rule_id: str) -> str:
    shown_id = one_line(about.id)
    version = tag(about, "stig_id") or shown_id
    nist = "".join(
        element("reference", f"NIST SP 800-53 {one}", href=_NIST) + "\n" for one in tags(about, "nist")
    )
    idents = "".join(element("ident", one, system=_CCI_SYSTEM) + "\n" for one in ccis(about))
    group = f"xccdf_{COLLECTION}_group_{xml_name(tag(about, 'gid') or about.id)}"
    check = element("check-content", kept_values(about.check)) if about.check else ""
    return (
        f'<Group id="{group}">\n{element("title", tag(about, "gtitle") or shown_id)}\n'
        f'<Rule id="{rule_id}" selected="true" severity="{severity(about)}">\n'
        f"{element('version', version)}\n{element('title', one_line(about.title, 1000))}\n"
        f"{element('description', kept_values(about.desc))}\n{nist}"
        + (f"{element('rationale', kept_values(about.why))}\n" if about.why else "")
        + f"{element('ident', shown_id, system=f'{_SYSTEM}:control')}\n{idents}"
        + (f"{element('fixtext', kept_values(about.fix))}\n" if about.fix else "")
        + f'<check system="{_SYSTEM}">{check}</check>\n</Rule>\n</Group>\n'
    )


def _rule_id(about: ControlText) -> str:
    """DISA's own id where the control has it as the tag `rid`."""
    rid = tag(about, "rid")
    if _DISA_RULE.fullmatch(rid):
        return f"xccdf_mil.disa.stig_rule_{rid}"
    return f"xccdf_{COLLECTION}_rule_{xml_name(about.id)}"


def _benchmark_id(checklist: Checklist) -> str:
    if checklist.benchmark:
        return f"xccdf_mil.disa.stig_benchmark_{xml_name(checklist.benchmark)}"
    return f"xccdf_{COLLECTION}_benchmark_{xml_name(checklist.profile)}"
