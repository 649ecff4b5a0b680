# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof of what a scanner's token cannot do, namespace by namespace.

The API server is asked, its list of rules is read, and some requests are really sent. What could not be asked or tried ends the
proof with an error: it then says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..access.objects import Grant
from ..access.scanner import NamespaceScanner, ScannerAccess
from ..cluster.rest import RestClient
from ..errors import ScanError
from ..preflight.denied_rights import in_words
from ..preflight.permissions import Permission, Reviews
from ..safe_text import one_line
from ..text_layout import number_of
from .attempts import attempts_in
from .listed_rules import listed_beyond
from .rights import IN_CLUSTER, IN_NAMESPACE

ASKED, LISTED, TRIED = "asked", "listed", "tried"
_NO_SUCH_POD = "securescan-proof"
# One of these is a namespace that the access does not reach.
_ELSEWHERE = ("kube-system", "default", "kube-public", "securescan-proof")
_TEXT = 300
_LINES = 20


@dataclass(frozen=True)
class Allowed:
    """Something that a scanner is allowed to do and should not be. `how`: asked, listed or tried."""

    namespace: str
    how: str
    what: str
    answer: str = ""

    def as_result(self) -> dict[str, str]:
        return {"namespace": self.namespace, "how": self.how, "what": self.what, "answer": self.answer}


@dataclass
class Proof:
    """What came out. `refused`: what was refused in every namespace, in words, by how it was found out. `incomplete`: in how many
    namespaces the API server says that its list of rules is not whole."""

    run_id: str
    namespaces: int = 0
    pods: int = 0
    allowed: list[Allowed] = field(default_factory=list)
    refused: dict[tuple[str, str], int] = field(default_factory=dict)
    incomplete: int = 0

    @property
    def is_proven(self) -> bool:
        return self.namespaces > 0 and not self.allowed

    def as_result(self, most: int) -> dict[str, Any]:
        """:param most: how many of `allowed` are named"""
        return {
            "proven": self.is_proven,
            "run_id": self.run_id,
            "namespaces": self.namespaces,
            "pods": self.pods,
            "rules_incomplete": self.incomplete,
            "allowed_count": len(self.allowed),
            "allowed": [one.as_result() for one in self.allowed[:most]],
            "refused": [
                {"how": how, "what": what}
                for (how, what), times in self.refused.items()
                if times == self.namespaces
            ],
        }

    def lines(self) -> list[str]:
        """For a terminal."""
        reach = f"{number_of(self.pods, 'pod')} in {number_of(self.namespaces, 'namespace')}"
        end = (
            "nothing else"
            if self.is_proven
            else f"{number_of(len(self.allowed), 'thing')} that no scan needs"
        )
        if self.is_proven and self.incomplete:
            end = "nothing else that was asked or tried; the API server's list of their rights is not whole"
        made = [f"PROOF of run {self.run_id}: its tokens reach {reach}, and {end}"]
        for how in (ASKED, TRIED):
            count = sum(1 for found, _what in self.refused if found == how)
            made.append(f"  {how:<7} {number_of(count, 'thing')} refused")
        for one in self.allowed[:_LINES]:
            answer = f" ({one.answer})" if one.answer else ""
            made.append("  " + one_line(f"ALLOWED {one.namespace}: {one.what}, {one.how}{answer}"))
        if len(self.allowed) > _LINES:
            made.append(f"  and {len(self.allowed) - _LINES} more")
        return made

    def failure(self) -> ScanError:
        """The error of a proof that failed."""
        if not self.allowed:
            return ScanError(
                "no_targets",
                "the access reaches no pod, so nothing was proven",
                tried=f"proving what the tokens of run {self.run_id} cannot do",
            )
        named = "; ".join(f"{one.what} in {one.namespace} ({one.how})" for one in self.allowed[:5])
        more = f"; and {len(self.allowed) - 5} more" if len(self.allowed) > 5 else ""
        return ScanError(
            "access_too_wide",
            one_line(f"the scanner is allowed to {named}{more}"),
            tried=f"proving what the tokens of run {self.run_id} cannot do",
        )


def prove(access: ScannerAccess, grantor: RestClient, also_allowed: Sequence[Permission] = ()) -> Proof:
    """Asks and tries, with the token of each namespace of the access.

    :param grantor: looks for a pod that was not chosen
    :raises ScanError: not_permitted, where a token is not let in where it must be; as the client
    """
    proof = Proof(access.run_id)
    reached = [grant.namespace for grant in access.grants]
    elsewhere = next((name for name in _ELSEWHERE if name not in reached), _NO_SUCH_POD)
    for grant in access.grants:
        scanner = access.for_namespace(grant.namespace)
        # a token that is refused everything would pass for one that is held to its rights
        scanner.client.get(f"/api/v1/namespaces/{grant.namespace}/pods/{grant.pods[0].name}")
        proof.allowed += _asked(proof, scanner, also_allowed)
        proof.allowed += _tried(proof, scanner, _other_pod(grantor, grant), elsewhere)
        # last: a role for everybody may have hundreds of rules, and the first are named
        proof.allowed += _listed(proof, scanner, also_allowed)
        proof.namespaces += 1
        proof.pods += len(grant.pods)
    return proof


def _asked(proof: Proof, scanner: NamespaceScanner, also_allowed: Sequence[Permission]) -> Iterator[Allowed]:
    reviews, namespace = Reviews(scanner.client), scanner.grant.namespace
    for where, rights in ((namespace, IN_NAMESPACE), ("", IN_CLUSTER)):
        for right in rights:
            if right in also_allowed:
                continue
            if reviews.allows(where, right):
                yield Allowed(namespace, ASKED, in_words(right))
            else:
                _count(proof, ASKED, in_words(right))


def _listed(proof: Proof, scanner: NamespaceScanner, also_allowed: Sequence[Permission]) -> Iterator[Allowed]:
    found, is_whole = listed_beyond(scanner.client, scanner.grant, also_allowed)
    proof.incomplete += not is_whole
    for text in found:
        yield Allowed(scanner.grant.namespace, LISTED, one_line(text, _TEXT))


def _tried(proof: Proof, scanner: NamespaceScanner, other: str, elsewhere: str) -> Iterator[Allowed]:
    grant = scanner.grant
    attempts = attempts_in(grant.namespace, grant.pods[0].name, other, elsewhere, grant.account(proof.run_id))
    for attempt in attempts:
        answer = attempt.answer(scanner.client)
        if answer:
            yield Allowed(grant.namespace, TRIED, attempt.what, one_line(answer, _TEXT))
        else:
            _count(proof, TRIED, attempt.what)


def _count(proof: Proof, how: str, what: str) -> None:
    proof.refused[how, what] = proof.refused.get((how, what), 0) + 1


def _other_pod(grantor: RestClient, grant: Grant) -> str:
    """A pod of the namespace that was not chosen; a name that no pod has where there is none, or it cannot be listed."""
    chosen = {pod.name for pod in grant.pods}
    try:
        for pod in grantor.list_items(f"/api/v1/namespaces/{grant.namespace}/pods", metadata_only=True):
            if str(pod["metadata"].get("name", "")) not in chosen:
                return str(pod["metadata"]["name"])
    except ScanError as error:
        if error.reason != "not_permitted":
            raise
    return _NO_SUCH_POD
