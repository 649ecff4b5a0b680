# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run does to each of its targets: reached, judged, an outcome. No target hides another."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from typing import Any

from ..approaches.approach import Approach, Collected, collected_in
from ..approaches.graded import evidence_of
from ..approaches.session import Session
from ..collector.facts import NOTHING_ASKED, Asked, Facts, Query
from ..collector.frames import COLLECTOR_VERSION
from ..collector.request import CollectionRequest, make_request
from ..drift.listings import drift_queries
from ..drift.report import drift_report
from ..engines.engine import SEARCH_SECONDS, Engine, Subject, Verdicts
from ..errors import ScanError
from ..results.amendments import NO_AMENDMENTS, Amendments
from ..results.model import Judgement, Platform
from ..results.notes import Note
from ..secret_texts import values_without_secrets, without_secret
from ..targets.selection import SelectedTarget
from ..time_limit import TimeLimit

_PLATFORM_QUERY = Query("os")
# Seconds for the searches of a target's texts that are left where reaching it took all of its time. Searches of
# honest texts take milliseconds.
_LEAST_SECONDS = 1.0


@dataclass(frozen=True)
class ScanPlan:
    """What a run does to each target. `timeout`: seconds for one target. `cancel` ends the work on it; where it is a
    TimeLimit that has passed, the target was not reached. `scanners`: by namespace the user that the API server sees."""

    run_id: str
    approach: Approach
    request: CollectionRequest
    engines: Sequence[Engine]
    amendments: Amendments = NO_AMENDMENTS
    keep_facts: bool = False
    timeout: float = SEARCH_SECONDS
    cancel: threading.Event | None = None
    scanners: Mapping[str, str] = field(default_factory=dict)

    def seconds_for_searches(self, begun: float) -> float:
        """Seconds that the searches of a target's texts may take: what is left of its time.

        :param begun: when the target was begun, by the monotonic clock
        """
        left = self.timeout - (time.monotonic() - begun)
        return max(_LEAST_SECONDS, min(SEARCH_SECONDS, left))


@dataclass(frozen=True)
class Outcome:
    """What became of one target: a judgement, or the error for which there is none. `duration` in seconds.

    `approach`: the one that was taken in the end. `facts`: where the plan keeps them, else None; then
    `asked` is what is kept of the sensitive ones. `drift`:
    where the request asks for it, see drift/report.py.
    """

    selected: SelectedTarget
    duration: float
    approach: str
    judgement: Judgement | None = None
    error: ScanError | None = None
    notes: Sequence[Note] = ()
    facts: Facts | None = None
    asked: Asked = NOTHING_ASKED
    drift: dict[str, Any] | None = None


def scan_request(engines: Sequence[Engine], drift_paths: Sequence[str] = ()) -> CollectionRequest:
    """What the engines need of a target, and its operating system, which every result names.

    :param drift_paths: what is compared with the image besides
    """
    drift = drift_queries(drift_paths) if drift_paths else ()
    needed = [query for engine in engines for query in engine.queries()]
    return make_request((*needed, *drift, _PLATFORM_QUERY))


def scan_target(plan: ScanPlan, selected: SelectedTarget) -> Outcome:
    """Reaches one target and judges it. Whatever goes wrong with it is its outcome, never an exception."""
    started, clock = datetime.now(timezone.utc), time.monotonic()
    if _is_out_of_time(plan):
        return unreached(selected, plan.approach.name)
    try:
        with _reached(plan, selected) as (collected, session):
            facts = collected.facts
            subject = Subject(selected, facts, session, plan.seconds_for_searches(clock), plan.cancel)
            verdicts, notes = judge(plan.engines, plan.amendments, subject)
            asked = _asked(plan, subject)
        if session is not None:
            collected = collected_in(session, facts)  # it has ended: what became of it is known
        seen = started.isoformat(timespec="milliseconds")
        drift = drift_report(selected, facts, collected.approach, seen)
    except ScanError as error:
        seconds = time.monotonic() - clock
        if error.reason == "cancelled" and _is_out_of_time(plan):
            return unreached(selected, plan.approach.name, seconds)
        return Outcome(selected, seconds, plan.approach.name, error=error)
    except Exception as defect:  # noqa: BLE001 - one target must not hide the others' results
        internal = ScanError(
            "internal", f"{type(defect).__name__}: {defect}", tried=f"scanning {selected.target.path}"
        )
        return Outcome(selected, time.monotonic() - clock, plan.approach.name, error=internal)
    duration = time.monotonic() - clock
    judgement = Judgement(
        identity=selected.target.identity(),
        platform=platform_of(facts),
        profiles=verdicts.results,
        method=_method(plan, selected, collected, verdicts),
        started=seen,
        duration=duration,
    )
    return Outcome(
        selected,
        duration,
        collected.approach,
        judgement=judgement,
        notes=notes,
        facts=facts if plan.keep_facts else None,
        asked=asked,
        drift=drift,
    )


def unreached(selected: SelectedTarget, approach: str, seconds: float = 0.0) -> Outcome:
    """What becomes of a target for which there was no time.

    :param seconds: for which it was worked on
    """
    text = f"it was ended after {seconds:.1f} s" if seconds else "it was not begun"
    error = ScanError(
        "not_reached", f"the scan's time was over: {text}", tried=f"scanning {selected.target.path}"
    )
    return Outcome(selected, seconds, approach, error=error)


def _is_out_of_time(plan: ScanPlan) -> bool:
    return isinstance(plan.cancel, TimeLimit) and plan.cancel.has_passed


def _method(
    plan: ScanPlan, selected: SelectedTarget, collected: Collected, verdicts: Verdicts
) -> dict[str, Any]:
    """How the target was seen, as Judgement has it."""
    return {
        "run_id": plan.run_id,
        "approach": collected.approach,
        "collector_version": COLLECTOR_VERSION,
        "spec_sha256": selected.template,
        "replicas": selected.replicas,
        "evidence": evidence_of(collected).to_json(),
        "target_seen": "before_and_after" if collected.is_looked_at else "at_selection",
        **_shell_of(collected),
        **_footprint_of(collected),
        **_passed_over_of(collected),
        **_cross_check_of(collected),
        **_scanner_of(plan, selected),
        "unread": [*unread_facts(collected.facts), *verdicts.unread],
    }


def _asked(plan: ScanPlan, subject: Subject) -> Asked:
    asked = NOTHING_ASKED
    for engine in plan.engines if plan.keep_facts else ():
        asked = asked.with_more(engine.asked(subject))
    return asked


@contextmanager
def _reached(plan: ScanPlan, selected: SelectedTarget) -> Iterator[tuple[Collected, Session | None]]:
    """The facts of the target, and where an engine needs it the session in which they were collected, still
    open. Either way the target costs one exec."""
    if not any(engine.needs_session for engine in plan.engines):
        yield plan.approach.collect(selected, plan.request), None
        return
    with plan.approach.enter(selected) as session:
        yield collected_in(session, session.collect(plan.request)), session


def judge(engines: Sequence[Engine], amendments: Amendments, subject: Subject) -> tuple[Verdicts, list[Note]]:
    """One target by all engines, with waivers and attestations applied, and the notes on these."""
    judged = [engine.judge(subject) for engine in engines]
    verdicts = Verdicts(
        [result for one in judged for result in one.results],
        tuple(entry for one in judged for entry in one.unread),
    )
    identity = subject.selected.target.identity()
    return verdicts, amendments.apply(verdicts.results, identity, datetime.now(timezone.utc))


def _footprint_of(collected: Collected) -> dict[str, dict[str, Any]]:
    """What stays of the scan in the pod, as a judgement's `method` holds it; empty where nothing does."""
    if collected.footprint is None:
        return {}
    return {
        "footprint": {
            "ephemeral_container": collected.footprint.ephemeral_container,
            "is_new": collected.footprint.is_new,
            **({"still_runs": True} if collected.footprint.still_runs else {}),
        }
    }


def _shell_of(collected: Collected) -> dict[str, dict[str, str]]:
    """The container whose shell answered, as a judgement's `method` holds it; empty where it is the target's
    own."""
    return {"scanner_container": asdict(collected.shell)} if collected.shell else {}


def _scanner_of(plan: ScanPlan, selected: SelectedTarget) -> dict[str, str]:
    """The ServiceAccount that reached the target, as a judgement's `method` holds it; empty where it is not known."""
    scanner = plan.scanners.get(selected.target.namespace)
    return {"scanner": scanner} if scanner else {}


def _passed_over_of(collected: Collected) -> dict[str, list[dict[str, str]]]:
    """Why other approaches were not taken, as a judgement's `method` holds it; empty where none was tried."""
    if not collected.passed_over:
        return {}
    return {"passed_over": [{"approach": name, "reason": reason} for name, reason in collected.passed_over]}


def _cross_check_of(collected: Collected) -> dict[str, dict[str, Any]]:
    """What a cross-check found, as a judgement's `method` holds it; empty where none was asked for."""
    checked = collected.checked
    if checked is None:
        return {}
    return {
        "cross_check": {
            "approach": checked.approach,
            "compared": checked.compared,
            "drifted": list(checked.drifted),
        }
    }


def unread_facts(facts: Facts) -> list[dict[str, str]]:
    """{fact, status, cause} of what could not be had, as a judgement's `method` holds it."""
    return [
        {"fact": key, "status": fact.status, "cause": without_secret(fact.cause)}
        for key, fact in facts.unread()
    ]


def platform_of(facts: Facts) -> Platform:
    """The operating system inside the target, where it was seen."""
    seen = facts.get_fact(_PLATFORM_QUERY)
    if not seen.ok:
        return Platform()
    value: Mapping[str, str] = values_without_secrets(seen.value)
    return Platform(name=value["name"], family=value["family"], release=value["release"], arch=value["arch"])
