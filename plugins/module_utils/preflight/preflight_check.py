# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For every target and approach whether it would work: by the pod itself, by permission reviews, by
server-side dry runs.

Questions are asked once for what they are about, not for each target: permissions and access for a namespace,
an ephemeral container for a pod template, a helper pod for its images.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Callable, TypeVar

from ..access.objects import Grant, PodRef
from ..approaches.approach_kind import ApproachKind
from ..approaches.choice import NEVER, ApproachOptions, predict_change
from ..approaches.image_helper import helper_name, image_reference, plan_helpers
from ..approaches.pod_entry import ExecLimits
from ..approaches.registry import KINDS
from ..errors import ScanError
from ..targets.pod_template import template_key
from ..targets.selection import SelectedTarget
from .dry_runs import DryRuns
from .permissions import MAKE_ACCOUNT, MAKE_ROLES, Lack, Permission, Reviews, handed_out
from .verdict import ACCEPTED, NOT_ASKED, REFUSED, Verdict

_ADD_EPHEMERAL = Permission("", "pods/ephemeralcontainers", "patch")
_CREATE_PODS = Permission("", "pods", "create")

Key = TypeVar("Key", bound=Hashable)
InParallel = Callable[[Sequence[Any], Callable[[Any], Any]], Iterable[tuple[Any, Any]]]


@dataclass(frozen=True)
class Expectation:
    """What is expected of a scan of one target: a verdict for each approach that is asked for, and `tried`, those of
    them that are not refused, up to the first that works. Empty: it cannot be scanned.
    `checked_by`: the approach that would make the cross-check, None where none is asked for, empty where
    each that could make it is refused."""

    selected: SelectedTarget
    verdicts: Mapping[str, Verdict]
    tried: tuple[str, ...]
    checked_by: str | None = None


@dataclass(frozen=True)
class _Entry:
    """An ephemeral container that a scan would add: once for pods of the same template."""

    selected: SelectedTarget
    entry: Mapping[str, Any]


class PreflightCheck:
    """Finds out what a scan with these options would do to these targets."""

    def __init__(
        self,
        targets: Sequence[SelectedTarget],
        options: ApproachOptions,
        limits: ExecLimits,
        *,
        grantor: str,
        reviews: Reviews,
        dry_runs: DryRuns,
        in_parallel: InParallel,
        account_namespace: str = "",
    ) -> None:
        """
        :param grantor: the user's name, for messages
        :param account_namespace: where the ServiceAccounts would be, as in a Grant
        :param in_parallel: does work on items, several at a time, and yields (item, result)
        """
        self._targets = targets
        self._options = options
        self._limits = limits
        self._grantor = grantor
        self._reviews = reviews
        self._dry_runs = dry_runs
        self._in_parallel = in_parallel
        self._account_namespace = account_namespace
        # what nobody asked for is not looked at: neither its options nor its rights are missing
        self._kinds = [kind for kind in KINDS if kind.name in options.used()]
        self.lacks: list[Lack] = []

    def run(self) -> list[Expectation]:
        """One expectation for each target; `lacks` then holds what the grantor would need besides."""
        predicted = {
            kind.name: [self._predict(kind.name, selected) for selected in self._targets]
            for kind in self._kinds
        }
        access = self._access(predicted)
        verdicts = {
            kind.name: (self._by_helper_pods if kind.makes_pods else self._by_pods)(
                kind, predicted[kind.name], access
            )
            for kind in self._kinds
        }
        chosen = self._options.chosen()
        expectations = []
        for number, selected in enumerate(self._targets):
            of_target = {approach: found[number] for approach, found in verdicts.items()}
            tried = _tried(chosen, of_target)
            checked_by = self._checked_by(tried[0], of_target) if tried else None
            expectations.append(Expectation(selected, of_target, tried, checked_by))
        return expectations

    def _checked_by(self, first: str, verdicts: Mapping[str, Verdict]) -> str | None:
        """:param first: the approach that is tried first; only a scan tells whether another takes its place"""
        if self._options.cross_check == NEVER:
            return None
        witnesses = self._options.witnesses_of(first)
        return next((name for name in witnesses if verdicts[name].status != REFUSED), "")

    def _predict(self, approach: str, selected: SelectedTarget) -> Any:
        """What the target's pod tells: a Verdict where it refuses, else the entry to add or None."""
        try:
            return predict_change(replace(self._options, name=approach), selected, self._limits)
        except ScanError as error:
            return Verdict.refused(error)

    def _settled(
        self,
        kind: ApproachKind,
        selected: SelectedTarget,
        predicted: Any,
        access: Mapping[tuple[str, str], Verdict | None],
    ) -> Verdict | None:
        """The verdict, where the pod, the options or the access already decide."""
        if isinstance(predicted, Verdict):
            return predicted
        refused = access.get((kind.name, self._place(kind, selected)))
        if refused:
            return refused
        return None

    def _place(self, kind: ApproachKind, selected: SelectedTarget) -> str:
        """The namespace in which an approach needs its access."""
        return self._options.image.namespace if kind.makes_pods else selected.target.namespace

    def _access(self, predicted: Mapping[str, list[Any]]) -> dict[tuple[str, str], Verdict | None]:
        """Why the access cannot be made, by (approach, namespace); None where it can."""
        pods: dict[tuple[str, str], dict[str, PodRef]] = {}
        for kind in self._kinds:
            reachable = [
                selected
                for selected, known in zip(self._targets, predicted[kind.name])
                if not isinstance(known, Verdict)
            ]
            if kind.makes_pods:
                if reachable and self._options.image.namespace:
                    names = [
                        helper_name("preflight", helper.number) for helper in plan_helpers(self._targets)
                    ]
                    pods[kind.name, self._options.image.namespace] = {
                        name: PodRef(name, "") for name in names
                    }
                continue
            for selected in reachable:
                target = selected.target
                pods.setdefault((kind.name, target.namespace), {})[target.pod] = PodRef(
                    target.pod, target.pod_uid
                )
        grants = [
            Grant(namespace, tuple(found.values()), approach, self._account_namespace)
            for (approach, namespace), found in pods.items()
        ]
        return {
            (grant.approach, grant.namespace): refused
            for grant, refused in self._in_parallel(grants, self._access_refused)
        }

    def _access_refused(self, grant: Grant) -> Verdict | None:
        home = grant.account_namespace or grant.namespace
        lacking = {
            permission: namespace
            for namespace, wanted in ((grant.namespace, MAKE_ROLES), (home, MAKE_ACCOUNT))
            for permission in self._reviews.missing(namespace, wanted)
        }
        not_held = self._reviews.missing(grant.namespace, handed_out(grant.approach))
        # who is allowed to escalate need not hold what they hand out: only the cluster can tell
        error = None if lacking else self._dry_runs.make_access(grant)
        if not lacking and not (error and not_held):
            return Verdict.refused(error) if error else None
        places = {**lacking, **dict.fromkeys(not_held, grant.namespace)}
        for namespace in sorted(set(places.values())):
            permissions = tuple(sorted(each for each, where in places.items() if where == namespace))
            self.lacks.append(Lack(namespace, grant.approach, permissions))
        return Verdict.refused(
            ScanError(
                "not_permitted",
                f"{self._grantor} lacks {_words(sorted(places))}",
                cause="RBAC, in namespace {}".format(" and ".join(sorted(set(places.values())))),
                advice="Grant the rules under `missing`.",
            )
        )

    def _by_pods(
        self,
        kind: ApproachKind,
        predicted: Sequence[Any],
        access: Mapping[tuple[str, str], Verdict | None],
    ) -> list[Verdict]:
        """The verdicts on an approach that enters the targets' pods, and may add a container to them."""
        verdicts: list[Verdict | None] = []
        keys: list[str] = []
        questions: dict[str, _Entry] = {}
        for selected, known in zip(self._targets, predicted):
            verdict = self._settled(kind, selected, known, access)
            if verdict is None and known is None:
                verdict = Verdict.unchanged(kind.unchanged.message, kind.unchanged.unknown)
            key = "" if verdict else _question(selected, known)
            if key:
                questions.setdefault(key, _Entry(selected, known))
            verdicts.append(verdict)
            keys.append(key)
        answers = {
            _question(asked.selected, asked.entry): answer
            for asked, answer in self._in_parallel(list(questions.values()), self._ask_to_add)
        }
        return [verdict or answers[key] for verdict, key in zip(verdicts, keys)]

    def _ask_to_add(self, asked: _Entry) -> Verdict:
        target = asked.selected.target
        if self._reviews.missing(target.namespace, [_ADD_EPHEMERAL]):
            return NOT_ASKED
        error = self._dry_runs.add_debug_container(target, asked.entry)
        return Verdict.refused(error) if error else ACCEPTED

    def _by_helper_pods(
        self,
        kind: ApproachKind,
        predicted: Sequence[Any],
        access: Mapping[tuple[str, str], Verdict | None],
    ) -> list[Verdict]:
        """The verdicts on an approach that mounts the targets' images into pods of its own."""
        settled = [
            self._settled(kind, selected, known, access) for selected, known in zip(self._targets, predicted)
        ]
        wanted = [selected for selected, verdict in zip(self._targets, settled) if verdict is None]
        answers: dict[str, Verdict] = {}
        for helper, answer in self._in_parallel(plan_helpers(wanted), self._ask_to_start):
            answers.update({mounted.reference: answer for mounted in helper.images})
        beyond = Verdict.refused(
            ScanError(
                "image_unknown",
                "the images are more than the helper pods of one scan can hold",
                advice="Scan fewer namespaces at a time.",
            )
        )
        return [
            verdict or answers.get(image_reference(selected.target), beyond)
            for selected, verdict in zip(self._targets, settled)
        ]

    def _ask_to_start(self, helper: Any) -> Verdict:
        if self._reviews.missing(self._options.image.namespace, [_CREATE_PODS]):
            return NOT_ASKED
        error = self._dry_runs.start_helper(helper, self._options.image)
        return Verdict.refused(error) if error else ACCEPTED


def _question(selected: SelectedTarget, entry: Mapping[str, Any]) -> str:
    """The same text for entries of which the cluster says the same: pods of one template, but for the entry's
    run."""
    target = selected.target
    template = template_key(selected.pod.object())
    return json.dumps(
        [
            target.namespace,
            target.workload_kind,
            target.workload,
            template,
            target.container,
            entry["securityContext"],
        ],
        sort_keys=True,
    )


def _tried(chosen: Sequence[str], verdicts: Mapping[str, Verdict]) -> tuple[str, ...]:
    tried: list[str] = []
    for approach in chosen:
        if verdicts[approach].status == REFUSED:
            continue
        tried.append(approach)
        if verdicts[approach].status == ACCEPTED.status:
            break
    return tuple(tried)


def _words(permissions: Sequence[Permission]) -> str:
    """create and get on pods/exec, create on roles"""
    verbs: dict[str, list[str]] = {}
    for permission in permissions:
        verbs.setdefault(permission.resource, []).append(permission.verb)
    return ", ".join("{} on {}".format(" and ".join(words), resource) for resource, words in verbs.items())
