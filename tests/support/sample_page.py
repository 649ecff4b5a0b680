# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A made-up fleet of any size for the page, without documents: teams, environments, a history, clusters of every state."""

from __future__ import annotations

import functools
import itertools
import pathlib
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import yaml
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.page_source import (
    FLEET_RUN,
    PageCluster,
    PageSource,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.evidence import Evidence
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.history import (
    FindingLife,
    TrendPoint,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import NamespaceOwner
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.status import SEVERITIES, STATUSES
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.target_record import (
    Carried,
    ErrorRecord,
    TargetRecord,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.verdicts import (
    ControlText,
    TargetVerdicts,
    Verdict,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.times import api_time

NOW = datetime(2026, 11, 30, 2, 0, tzinfo=timezone.utc)
_TEAMS = ("payments", "shop", "search", "data", "")
_WORKLOADS = ("api", "worker", "web", "cache", "jobs")
_PROFILE = pathlib.Path(__file__).resolve().parents[2] / "profiles" / "container-baseline"
_STATES = ("scanned", "unreachable", "refused", "out_of_time")
_REASONS = {"unreachable": "unreachable", "refused": "not_permitted", "out_of_time": "timed_out"}


class SampleHistory:
    """What a store would say of the fleet: 60 days of it."""

    since = api_time(NOW - timedelta(days=1))

    def __init__(self, lives: list[FindingLife], days: int = 60) -> None:
        self._lives, self._days = lives, days

    def trend(self, clusters: Iterable[str]) -> Iterator[TrendPoint]:
        for day in range(self._days):
            at = api_time(NOW - timedelta(days=self._days - 1 - day))
            for number, name in enumerate(["", *clusters][:6]):
                scale = 1 if name else 12
                failed = scale * (300 - 2 * day + 7 * ((day + number) % 5))
                controls = dict(zip(STATUSES, (scale * 4000 + 9 * day, failed, scale * 120, scale * 200, 3)))
                open_findings = dict(zip(SEVERITIES, (max(0, 40 - day), failed // 4, failed // 2, 30, 0)))
                yield TrendPoint(
                    at,
                    name,
                    100 * scale,
                    96 * scale + day % 4,
                    95 * scale,
                    controls,
                    open_findings,
                    max(0, 30 - day // 2),
                )

    def lives(self, clusters: Iterable[str]) -> Iterator[FindingLife]:
        return iter(self._lives)


@functools.cache
def sample_controls() -> tuple[ControlText, ...]:
    """The controls of the shipped profile, some of them twice under other ids, so that there are 116."""
    found = []
    for path in sorted((_PROFILE / "controls").glob("*.yml")):
        for one in yaml.safe_load(path.read_text(encoding="utf-8"))["controls"]:
            texts = [str(one.get(name, "")) for name in ("desc", "rationale", "fix")]
            severity = one["impact"] if one["impact"] in SEVERITIES else "medium"
            found.append(
                ControlText(
                    "container-baseline", one["id"], one["title"], severity, *texts, one.get("tags", {})
                )
            )
    more = (replace(one, id=f"{one.id}-2") for one in found)
    return tuple(itertools.islice(itertools.chain(found, more), 116))


def sample_source(clusters: int, targets: int, replicas: int = 2, lives: bool = True) -> PageSource:
    """A fleet of so many clusters with so many targets in all; each workload has so many pods."""
    controls = sample_controls()
    per_cluster = max(1, targets // clusters)
    found = list(_lives(clusters, per_cluster, replicas, controls)) if lives else []

    def cluster(number: int) -> PageCluster:
        state = _STATES[number % 9 - 5] if number % 9 > 5 else "scanned"
        name = f"prod-{('eu', 'us', 'asia')[number % 3]}-{number:03d}"
        seen = state in ("scanned", "out_of_time")
        reason = _REASONS.get(state, "")
        said = f"{name}: no answer from 10.3.{number}.1:6443 within 10 s"
        return PageCluster(
            name=name,
            state=state,
            gate="" if not seen else "passed" if number % 4 else "failed",
            reason=reason,
            error=ErrorRecord(**ScanError(reason, said, tried="connect").record()) if reason else None,
            groups={"provider": ("eks", "gke", "openshift")[number % 3], "region": name.split("-")[1]},
            run_id="20261130t020000-1f9a2c" if seen else "",
            started=api_time(NOW - timedelta(minutes=20)) if seen else "",
            finished=api_time(NOW) if seen else "",
            duration=1200.0 if seen else 10.0,
            profiles=(("container-baseline", "1.4.0", "ab" * 32),) if seen else (),
            owners={
                f"{team or 'common'}-{part}": NamespaceOwner(
                    f"{team or 'common'}-{part}", team, "production" if part == "live" else "staging"
                )
                for team in _TEAMS
                for part in ("live", "test")
            },
            baseline="fleet run 20261129t020000-77ab10" if seen else "",
            folder=f"../../{name}/20261130t020000-1f9a2c" if seen else None,
            targets=lambda: _targets(number, name, per_cluster, replicas, controls) if seen else iter(()),
        )

    return PageSource(
        title=f"{clusters} clusters",
        kind=FLEET_RUN,
        made=api_time(NOW),
        clusters=lambda: (cluster(number) for number in range(clusters)),
        history=SampleHistory(found) if lives else None,
        gate="failed",
        gate_reasons=("prod-eu-000: the gate found something that its threshold does not allow",),
    )


def _names(cluster: str, number: int) -> tuple[str, str]:
    """Namespace and workload of the workload of this number."""
    team = _TEAMS[number % len(_TEAMS)] or "common"
    part = "test" if number % 3 == 0 else "live"
    return f"{team}-{part}", f"{_WORKLOADS[number // len(_TEAMS) % len(_WORKLOADS)]}-{number}"


def _targets(
    cluster_number: int, cluster: str, number: int, replicas: int, controls: Sequence[ControlText]
) -> Iterator[TargetVerdicts]:
    for index in range(number):
        workload_number, replica = divmod(index, replicas)
        chance = random.Random(cluster_number * 1_000_003 + workload_number)
        namespace, workload = _names(cluster, workload_number)
        lost = chance.random() < 0.02
        seen = () if lost else tuple(_seen(chance, controls))
        failed = {control.about.id for control in seen if control.status == "failed"}
        error = ErrorRecord(**ScanError("no_such_program", 'exec: "sh": not found', tried="exec").record())
        carried = chance.random() < 0.1 and not lost
        yield TargetVerdicts(
            _record(
                cluster=cluster,
                namespace=namespace,
                workload=workload,
                pod=f"{workload}-{7919 * workload_number % 99991:05d}-{replica}",
                image=f"registry.example/{workload.split('-')[0]}:{1 + workload_number % 9}.{cluster_number}",
                image_digest=f"sha256:{workload_number % 50:064x}",
                node=f"{cluster}-node-{index % 12}",
                outcome="not_scanned" if lost else "scanned",
                error=error if lost else None,
                result="not_scanned" if lost else "fail" if failed else "pass",
                failed={"container-baseline": tuple(sorted(failed))} if failed else {},
                seen="" if lost else api_time(NOW - timedelta(hours=20 if carried else 0)),
                carried=Carried("20261129t020000-77ab10", "fresh", 72000) if carried else None,
            ),
            seen,
        )


def _seen(chance: random.Random, controls: Sequence[ControlText]) -> Iterator[Verdict]:
    bad = chance.random() ** 6 * 0.2
    for about in controls:
        status = "passed"
        text, waived = "", False
        drawn = chance.random()
        if drawn < bad:
            status, text = "failed", f"expected 0, found {chance.randrange(1, 9)}: /usr/bin/{about.id[3:]}"
        elif drawn > 0.98:
            status, text = "not_reviewed", "/proc/1/root cannot be read: permission denied"
        elif drawn > 0.96:
            status = "not_applicable"
            waived = drawn > 0.97
            text = "Waived by team shop until 2027-01-31: the vendor's image needs it" if waived else ""
        yield Verdict(about, status, waived, False, text)


def _lives(
    clusters: int, per_cluster: int, replicas: int, controls: Sequence[ControlText]
) -> Iterator[FindingLife]:
    for number in range(clusters):
        if number % 9 > 5 and _STATES[number % 9 - 5] in ("unreachable", "refused"):
            continue
        name = f"prod-{('eu', 'us', 'asia')[number % 3]}-{number:03d}"
        for workload_number in range((per_cluster + replicas - 1) // replicas):
            chance = random.Random(number * 1_000_003 + workload_number)
            if chance.random() < 0.02:
                continue
            namespace, workload = _names(name, workload_number)
            for control in list(_seen(chance, controls)):
                failed = control.status == "failed"
                if not failed and chance.random() > 0.004:
                    continue
                age = chance.choice((0, *(3, 5, 9, 14, 20) * 4, 40)) if failed else 30
                opened = api_time(NOW - timedelta(days=age))
                closed = "" if failed else api_time(NOW - timedelta(hours=3))
                changes = ((opened, "failed"), *(((closed, "passed"),) if closed else ()))
                yield FindingLife(
                    f"{name}/{namespace}/Deployment/{workload}/app",
                    control.about.profile,
                    control.about.id,
                    control.about.severity,
                    opened,
                    closed,
                    api_time(NOW + timedelta(days=30 - age)) if failed else "",
                    failed and age > 30,
                    1 if age == 9 else 0,
                    ((api_time(NOW - timedelta(days=age + 30)), "passed"), *changes),
                )


def _record(**given: object) -> TargetRecord:
    values: dict[str, object] = {
        "workload_kind": "Deployment",
        "pod_uid": "uid",
        "container": "app",
        "container_kind": "container",
        "container_id": "containerd://1",
        "image_id": "",
        "state": "running",
        "state_reason": "",
        "target_id": f"{given['cluster']}/{given['namespace']}/{given['pod']}/app",
        "approach": "exec",
        "duration": 0.2,
        "hdf": "",
        "hdf_sha256": "",
        "facts": None,
        "drift": None,
        "evidence": Evidence("target"),
        "counts": None,
        "compliance": None,
        "worst_failed": "",
        "profiles": (),
        "skipped_profiles": {},
        "spec_sha256": "",
        "replicas": 1,
    }
    return TargetRecord(**{**values, **given})  # type: ignore[arg-type]
