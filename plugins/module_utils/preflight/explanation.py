# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For every target and approach whether it would work: by the pod itself, by permission reviews, by server-side dry runs.

Questions are asked once for what they are about, not for each target: permissions and access for a namespace, an ephemeral
container for a pod template, a helper pod for its images.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Callable, TypeVar

from ..access.objects import Grant, PodRef
from ..approaches import auto, debug, exec, image, sidecar
from ..approaches.choice import ApproachOptions, foresee
from ..approaches.image_helper import helper_name, image_reference, plan_helpers
from ..approaches.pod_entry import ExecLimits
from ..errors import ScanError
from ..targets.pod import template_key
from ..targets.selection import SelectedTarget
from .dry_runs import DryRuns
from .permissions import MAKE_ACCESS, Lack, Permission, Reviews, handed_out
from .verdict import ACCEPTED, IN_USE, NOT_ASKED, REFUSED, SHELL_UNKNOWN, SIDECAR_THERE, Verdict

APPROACHES = auto.ORDER
_ADD_EPHEMERAL = Permission("", "pods/ephemeralcontainers", "patch")
_CREATE_PODS = Permission("", "pods", "create")

Key = TypeVar("Key", bound=Hashable)
InParallel = Callable[[Sequence[Any], Callable[[Any], Any]], Iterable[tuple[Any, Any]]]


@dataclass(frozen=True)
class Expectation:
    """What is expected of a scan of one target: a verdict for each approach, and `tried`, the approaches that the options
    choose and that are not refused, up to the first that works. Empty: it cannot be scanned."""

    selected: SelectedTarget
    verdicts: Mapping[str, Verdict]
    tried: tuple[str, ...]


@dataclass(frozen=True)
class _Entry:
    """An ephemeral container that a scan would add: once for pods of the same template."""

    selected: SelectedTarget
    entry: Mapping[str, Any]


class Explanation:
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
    ) -> None:
        """
        :param grantor: the user's name, for messages
        :param in_parallel: does work on items, several at a time, and yields (item, result)
        """
        self._targets = targets
        self._options = options
        self._limits = limits
        self._grantor = grantor
        self._reviews = reviews
        self._dry_runs = dry_runs
        self._in_parallel = in_parallel
        self.lacks: list[Lack] = []

    def run(self) -> list[Expectation]:
        """One expectation for each target; `lacks` then holds what the grantor would need besides."""
        foreseen = {
            approach: [self._foresee(approach, selected) for selected in self._targets]
            for approach in APPROACHES
        }
        access = self._access(foreseen)
        debug_verdicts = self._debug(foreseen[debug.NAME], access)
        image_verdicts = self._image(foreseen[image.NAME], access)
        chosen = self._options.chosen()
        expectations = []
        for number, selected in enumerate(self._targets):
            by_exec, by_sidecar = (
                self._settled(approach, selected, foreseen[approach][number], access)
                for approach in (exec.NAME, sidecar.NAME)
            )
            verdicts = {
                exec.NAME: by_exec or SHELL_UNKNOWN,
                sidecar.NAME: by_sidecar or SIDECAR_THERE,
                debug.NAME: debug_verdicts[number],
                image.NAME: image_verdicts[number],
            }
            expectations.append(Expectation(selected, verdicts, _tried(chosen, verdicts)))
        return expectations

    def _foresee(self, approach: str, selected: SelectedTarget) -> Any:
        """What the target's pod tells: a Verdict where it refuses, else the entry to add or None."""
        try:
            return foresee(replace(self._options, name=approach), selected, self._limits)
        except ScanError as error:
            return Verdict.refused(error)

    def _settled(
        self,
        approach: str,
        selected: SelectedTarget,
        foreseen: Any,
        access: Mapping[tuple[str, str], Verdict | None],
    ) -> Verdict | None:
        """The verdict, where the pod, the options or the access already decide."""
        if isinstance(foreseen, Verdict):
            return foreseen
        refused = access.get((approach, self._place(approach, selected)))
        if refused:
            return refused
        lacking = self._options.lacks(approach)
        if lacking:
            return Verdict.refused(
                ScanError(
                    "bad_option", lacking, advice="Give it; nothing else that is known stands in the way."
                )
            )
        return None

    def _place(self, approach: str, selected: SelectedTarget) -> str:
        """The namespace in which an approach needs its access."""
        return self._options.image.namespace if approach == image.NAME else selected.target.namespace

    def _access(self, foreseen: Mapping[str, list[Any]]) -> dict[tuple[str, str], Verdict | None]:
        """Why the access cannot be made, by (approach, namespace); None where it can."""
        pods: dict[tuple[str, str], dict[str, PodRef]] = {}
        for approach in (exec.NAME, sidecar.NAME, debug.NAME):
            for selected, known in zip(self._targets, foreseen[approach]):
                if not isinstance(known, Verdict):
                    target = selected.target
                    pods.setdefault((approach, target.namespace), {})[target.pod] = PodRef(
                        target.pod, target.pod_uid
                    )
        if self._options.image.namespace and any(
            not isinstance(known, Verdict) for known in foreseen[image.NAME]
        ):
            names = [helper_name("preflight", helper.number) for helper in plan_helpers(self._targets)]
            pods[image.NAME, self._options.image.namespace] = {name: PodRef(name, "") for name in names}
        grants = [
            Grant(namespace, tuple(found.values()), approach) for (approach, namespace), found in pods.items()
        ]
        return {
            (grant.approach, grant.namespace): refused
            for grant, refused in self._in_parallel(grants, self._access_refused)
        }

    def _access_refused(self, grant: Grant) -> Verdict | None:
        lacking = self._reviews.missing(grant.namespace, MAKE_ACCESS)
        not_held = self._reviews.missing(grant.namespace, handed_out(grant.approach))
        # whoever may escalate need not hold what they hand out: only the cluster can tell
        error = None if lacking else self._dry_runs.make_access(grant)
        if lacking or (error and not_held):
            permissions = tuple(sorted({*lacking, *not_held}))
            self.lacks.append(Lack(grant.namespace, grant.approach, permissions))
            return Verdict.refused(
                ScanError(
                    "not_permitted",
                    f"{self._grantor} lacks {_words(permissions)}",
                    cause=f"RBAC, in namespace {grant.namespace}",
                    advice="Grant the rules under `missing`.",
                )
            )
        return Verdict.refused(error) if error else None

    def _debug(
        self, foreseen: Sequence[Any], access: Mapping[tuple[str, str], Verdict | None]
    ) -> list[Verdict]:
        verdicts: list[Verdict | None] = []
        keys: list[str] = []
        questions: dict[str, _Entry] = {}
        for selected, known in zip(self._targets, foreseen):
            verdict = self._settled(debug.NAME, selected, known, access)
            if verdict is None and known is None:
                verdict = IN_USE
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

    def _image(
        self, foreseen: Sequence[Any], access: Mapping[tuple[str, str], Verdict | None]
    ) -> list[Verdict]:
        settled = [
            self._settled(image.NAME, selected, known, access)
            for selected, known in zip(self._targets, foreseen)
        ]
        wanted = [selected for selected, verdict in zip(self._targets, settled) if verdict is None]
        answers: dict[str, Verdict] = {}
        for helper, answer in self._in_parallel(plan_helpers(wanted), self._ask_to_start):
            answers.update({mounted.reference: answer for mounted in helper.images})
        beyond = Verdict.refused(
            ScanError(
                "image_unknown",
                "the helper pods of one scan cannot hold so many images",
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
    """The same text for entries of which the cluster says the same: pods of one template, but for the entry's run."""
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
