# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run over targets: each is reached, judged and handed over, a bounded number at a time, and none hides another."""

from __future__ import annotations

import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Set, Tuple, TypeVar

from .approaches.approach import Approach
from .collector.facts import Facts, Query
from .collector.frames import COLLECTOR_VERSION
from .collector.request import CollectionRequest, make_request
from .errors import ScanError
from .profiles.compiled import CompiledProfile
from .profiles.evaluation import evaluate
from .profiles.evidence import EvaluationContext
from .profiles.queries import required_queries
from .results.model import Judgement, Platform, ProfileResult
from .results.waivers import WaiverNote, Waivers, apply_waivers
from .targets.selection import SelectedTarget

_PROGRESS_INTERVAL = 1.0
_PLATFORM_QUERY = Query("os")
Work = TypeVar("Work")


@dataclass(frozen=True)
class ScanPlan:
    """What a run does to each target."""

    run_id: str
    approach: Approach
    request: CollectionRequest
    profiles: Sequence[CompiledProfile]
    waivers: Optional[Waivers] = None


@dataclass(frozen=True)
class Outcome:
    """What became of one target: a judgement, or the error that kept it from being scanned. `duration` in seconds."""

    selected: SelectedTarget
    duration: float
    judgement: Optional[Judgement] = None
    error: Optional[ScanError] = None
    waiver_notes: Sequence[WaiverNote] = ()


def scan_request(profiles: Sequence[CompiledProfile]) -> CollectionRequest:
    """What the profiles ask for, and what system it is: a result says that whatever its profiles look at."""
    return make_request((*required_queries(profiles), _PLATFORM_QUERY))


def scan_target(plan: ScanPlan, selected: SelectedTarget) -> Outcome:
    """Reaches one target and judges it. Nothing that goes wrong with it leaves this function as an exception."""
    started, clock = datetime.now(timezone.utc), time.monotonic()
    try:
        facts = plan.approach.collect(selected, plan.request)
        profiles, notes = _judge(plan, selected, facts)
    except ScanError as error:
        return Outcome(selected, time.monotonic() - clock, error=error)
    except Exception as defect:  # noqa: BLE001 - a defect of ours in one target must not hide the others' results
        internal = ScanError("internal", "%s: %s" % (type(defect).__name__, defect),
                             tried="scanning %s" % selected.target.path)
        return Outcome(selected, time.monotonic() - clock, error=internal)
    unread = [{"fact": key, "status": fact.status, "cause": fact.cause} for key, fact in facts.unread()]
    duration = time.monotonic() - clock
    judgement = Judgement(
        identity=selected.target.identity(), platform=_platform(facts), profiles=profiles,
        method={"run_id": plan.run_id, "approach": plan.approach.name, "collector_version": COLLECTOR_VERSION,
                "unread": unread},
        started=started.isoformat(timespec="milliseconds"), duration=duration)
    return Outcome(selected, duration, judgement=judgement, waiver_notes=notes)


def _judge(plan: ScanPlan, selected: SelectedTarget, facts: Facts) -> Tuple[List[ProfileResult], List[WaiverNote]]:
    context = EvaluationContext(target=selected.target.identity(), pod=selected.pod.object(),
                                container_name=selected.target.container)
    results = [evaluate(profile, facts, context) for profile in plan.profiles]
    notes = (apply_waivers(results, plan.waivers, datetime.now(timezone.utc).date())
             if plan.waivers is not None else [])
    return results, notes


def _platform(facts: Facts) -> Platform:
    seen = facts.get_fact(_PLATFORM_QUERY)
    if not seen.ok:
        return Platform()
    value: Mapping[str, str] = seen.value
    return Platform(name=value["name"], family=value["family"], release=value["release"], arch=value["arch"])


def run_bounded(items: Iterable[Work], work: Callable[[Work], Any], concurrency: int, cancel: threading.Event,
                on_progress: Callable[[int], None]) -> Iterator[Tuple[Work, Any]]:
    """Does `work` on the items, at most `concurrency` at a time, and yields (item, result) in the order of finishing.

    `on_progress` is called with the number done about once a second. When the caller stops (an exception, an
    interrupt, Ansible's time-out), `cancel` is set, no new item is begun, and those in work are waited for: they end
    at once, because all that they wait on looks at `cancel`.
    """
    source = iter(items)
    pool = ThreadPoolExecutor(max_workers=concurrency, thread_name_prefix="scan")
    pending: Dict[Future[Any], Work] = {}
    done, said = 0, time.monotonic()
    try:
        for item in source:
            pending[pool.submit(work, item)] = item
            # a few wait in line, so that no thread idles; not all, so that memory does not grow with the fleet
            while len(pending) >= 2 * concurrency:
                for pair in _finished(pending):
                    done += 1
                    yield pair
                said = _say(on_progress, done, said)
        while pending:
            for pair in _finished(pending):
                done += 1
                yield pair
            said = _say(on_progress, done, said)
    finally:
        cancel_needed = bool(pending)
        if cancel_needed:
            cancel.set()
        pool.shutdown(wait=True, cancel_futures=cancel_needed)


def _finished(pending: Dict[Future[Any], Work]) -> List[Tuple[Work, Any]]:
    finished: Set[Future[Any]]
    finished, _rest = wait(pending, timeout=_PROGRESS_INTERVAL, return_when=FIRST_COMPLETED)
    return [(pending.pop(future), future.result()) for future in finished]


def _say(on_progress: Callable[[int], None], done: int, said: float) -> float:
    now = time.monotonic()
    if now - said < _PROGRESS_INTERVAL:
        return said
    on_progress(done)
    return now
