# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cross-check: a second approach looks at the same container, and what both say of the same facts must not contradict.

Two shells of the running container see the same files, so a difference that is still there when the first one looks
again is a contradiction; also where one has no permission for what the other, with no more rights, has read. A running
container can differ from its image; there a difference is a contradiction only when the container cannot have changed
the file (changeable.py), and a doubt otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Callable

from ..collector.facts import UNSUPPORTED, Fact, Facts, Query
from ..collector.request import CollectionRequest, make_request
from ..errors import ScanError
from ..results.evidence import EVIDENCE_TARGET, GRADES, Doubt
from ..safe_text import one_line
from ..targets.selection import SelectedTarget
from ..text_layout import number_of, were
from .approach import Approach, Collected
from .changeable import changer_of, ways_to
from .choice import REQUIRED, ApproachOptions, open_one
from .contradictions import (
    Comparison,
    comparable,
    compare,
    could_be_written,
    databases_of,
    is_said_unreadable,
    needs_each_place,
    places_of,
)
from .image import NAME as IMAGE
from .image_and_volumes import volume_mounts
from .pod_entry import Means
from .registry import kind_of
from .session import Checked, Collecting, Footprint, Session

# Has the first approach answer some queries once more.
_Again = Callable[[tuple[Query, ...]], Facts]
_NAMED_FACTS = 10
_FACT_CHARACTERS = 120
# The files of an image that are looked at to find out whether the container can have changed them: at once, and in all.
_PLACES_AT_ONCE = 400
_MOST_PLACES = 2000


def with_cross_check(
    live: Approach, names: Sequence[str], means: Means, options: ApproachOptions
) -> Approach:
    """The approach, made to have its answers checked.

    :param names: the approaches that are tried for that, in this order
    """
    own = {part.name: part for part in parts_of(live)}
    others = [own.get(name) or open_one(name, means, options) for name in names]
    return CrossChecked(live, others, is_required=options.cross_check == REQUIRED)


@dataclass(frozen=True)
class _Witness:
    """What a second approach answered, or why none did: (approach, reason) of each that was tried."""

    approach: str = ""
    facts: Facts | None = None
    refused: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class _Explained:
    """The differences between container and image: those that the container cannot have made, those that it can have
    made, and those of which the image did not tell it."""

    impossible: list[Query]
    possible: list[Query]
    untold: list[Query]


class CrossChecked:
    """Collects by one approach, and has what it says checked by another. `name` stays that of the first."""

    def __init__(self, first: Approach, others: Sequence[Approach], *, is_required: bool) -> None:
        """
        :param others: those that can check it, the first that reaches a target does
        :param is_required: a target that no second approach reaches is an error
        """
        self.name = first.name
        self.first = first
        self.others = tuple(others)
        self._is_required = is_required

    @property
    def execs(self) -> int:
        return sum(approach.execs for approach in self._all())

    @property
    def added(self) -> list[Footprint]:
        return [footprint for approach in self._all() for footprint in approach.added]

    @property
    def not_ended(self) -> list[Footprint]:
        return [footprint for approach in self._all() for footprint in approach.not_ended]

    def enter(self, selected: SelectedTarget) -> Session:
        """A session by the first approach, of which every answer is checked."""
        session = self.first.enter(selected)

        def checking(collect: Collecting) -> Collecting:
            def collect_checked(request: CollectionRequest, _is_last: bool) -> Facts:
                entered = session.entered
                seen = Collected(collect(request, False), entered.approach, entered.footprint)
                checked = self._check(
                    selected, request, seen, lambda queries: collect(replace(request, queries=queries), False)
                )
                doubts = tuple(dict.fromkeys((*entered.doubts, *checked.doubts)))
                session.entered = replace(entered, doubts=doubts, checked=checked.checked)
                return checked.facts

            return collect_checked

        session.change_collecting(checking)
        return session

    def collect(self, selected: SelectedTarget, request: CollectionRequest) -> Collected:
        """The facts of one target, checked.

        :raises ScanError: contradicting_evidence; not_cross_checked, where a check is required; as the first approach
        """
        seen = self.first.collect(selected, request)
        return self._check(
            selected,
            request,
            seen,
            lambda queries: self.first.collect(selected, replace(request, queries=queries)).facts,
        )

    def close(self) -> None:
        for approach in self._all():
            approach.close()

    def _all(self) -> tuple[Approach, ...]:
        """The approaches without those that the first one tries itself, and so counts and closes itself."""
        own = {id(part) for part in parts_of(self.first)}
        return (self.first, *(other for other in self.others if id(other) not in own))

    def _check(
        self,
        selected: SelectedTarget,
        request: CollectionRequest,
        seen: Collected,
        again: _Again,
    ) -> Collected:
        """
        :param seen: what the first approach has answered to the request
        :param again: asks it some of that once more
        """
        mounts = volume_mounts(selected.pod.object(), selected.target.container)
        queries = comparable(request.queries, mounts)
        witness = (
            self._ask(selected, replace(request, queries=queries), seen.approach) if queries else _Witness()
        )
        if witness.facts is None:
            return self._unchecked(selected, seen, witness)
        found = compare(
            queries,
            seen.facts,
            witness.facts,
            mounts,
            first_sees_more=_sees_more(seen.approach, witness.approach),
        )
        if not found.compared and not found.refused:
            return self._unchecked(selected, seen, witness)
        drifted: list[Query] = []
        untold: list[Query] = []
        unanswered = found.unanswered
        if IMAGE in (seen.approach, witness.approach):
            explained = self._explain(
                selected, [*found.different, *found.refused], seen.facts, witness.facts, mounts
            )
            contradicting, untold = explained.impossible, explained.untold
            drifted = [query for query in explained.possible if query not in found.refused]
            unanswered = [*unanswered, *(query for query in found.refused if query in explained.possible)]
        else:
            seen, contradicting = _seen_again(found, seen, witness, again, mounts)
        if contradicting:
            raise _contradiction(selected, seen.approach, witness.approach, contradicting)
        if self._is_required and (untold or unanswered):
            left = [*untold, *unanswered]
            raise _not_cross_checked(
                selected, seen, f"{were(len(left), 'fact')} not checked: {_listed(left)}"
            )
        doubts = (
            *_doubts(witness.approach, drifted, found.unchecked),
            *_doubts_of_unchecked(seen.approach, witness.approach, untold, unanswered),
        )
        asked = request.queries if witness.approach == IMAGE else queries
        return replace(
            seen,
            facts=_with_confirmed_refusals(asked, seen, witness),
            doubts=(*seen.doubts, *doubts),
            checked=Checked(witness.approach, found.compared, tuple(_named(drifted))),
        )

    def _ask(self, selected: SelectedTarget, request: CollectionRequest, first: str) -> _Witness:
        """What the first other approach answers that reaches the target. One of the same grade is no check: what
        deceives the one deceives the other."""
        refused: list[tuple[str, str]] = []
        for other in self.others:
            if kind_of(other.name).evidence.grade == kind_of(first).evidence.grade:
                continue
            try:
                return _Witness(other.name, other.collect(selected, request).facts)
            except ScanError as error:
                if error.reason == "cancelled":
                    raise
                refused.append((other.name, error.reason))
        return _Witness(refused=tuple(refused))

    def _unchecked(self, selected: SelectedTarget, seen: Collected, witness: _Witness) -> Collected:
        said = "; ".join(f"{name}: {reason}" for name, reason in witness.refused)
        why = said or (
            "nothing that it saw can be compared" if witness.facts else "no second approach is at hand"
        )
        if self._is_required:
            raise _not_cross_checked(selected, seen, why)
        doubt = Doubt(f"A cross-check was asked for, and there was none ({why}).", at_best=EVIDENCE_TARGET)
        return replace(seen, doubts=(*seen.doubts, doubt), checked=Checked("", 0, ()))

    def _explain(
        self,
        selected: SelectedTarget,
        different: Sequence[Query],
        one: Facts,
        other: Facts,
        mounts: Sequence[str],
    ) -> _Explained:
        """The differences between container and image, by whether the container can have made them."""
        changer = changer_of(selected.pod.object(), selected.target.container)
        if changer.is_read_only:
            return _Explained(list(different), [], [])
        if changer.user is None:
            return _Explained([], list(different), [])
        places = {
            query: places_of(query, one.get_fact(query), other.get_fact(query), mounts) for query in different
        }
        in_image = self._in_image(selected, places)
        explained = _Explained([], [], [])
        for query, found in places.items():
            by_writing = could_be_written(query, one.get_fact(query), other.get_fact(query))
            told = [place for place in found if all(way in in_image for way in ways_to(place))]
            can_change = [changer.can_change(place, in_image, by_writing=by_writing) for place in told]
            is_told = len(told) == len(found)
            databases = [place for place in databases_of(query) if place in in_image]
            if any(changer.can_change(database, in_image, by_writing=True) for database in databases):
                explained.possible.append(query)
            elif (
                not all(can_change) if needs_each_place(query) else is_told and found and not any(can_change)
            ):
                explained.impossible.append(query)
            else:
                can_be = is_told if needs_each_place(query) else not found or any(can_change)
                (explained.possible if can_be else explained.untold).append(query)
        return explained

    def _in_image(self, selected: SelectedTarget, places: Mapping[Query, Sequence[str]]) -> dict[str, Fact]:
        """By path what the image has at these places and in the directories above them. What was not asked is missing:
        where there are too many, or where the image could not be asked. Searches, which a container can fill, come last.
        """
        databases = [place for query in places for place in databases_of(query)]
        found = [place for query in sorted(places, key=needs_each_place) for place in places[query]]
        ways = list(dict.fromkeys(way for place in (*databases, *found) for way in ways_to(place)))
        asked = [Query("file", way) for way in ways if _can_be_asked(way)][:_MOST_PLACES]
        image = next(part for part in parts_of(self) if part.name == IMAGE)
        told: dict[str, Fact] = {}
        for start in range(0, len(asked), _PLACES_AT_ONCE):
            some = asked[start : start + _PLACES_AT_ONCE]
            try:
                facts = image.collect(selected, make_request(some)).facts
            except ScanError as error:
                if error.reason == "cancelled":
                    raise
                break
            told.update((query.subject, facts.get_fact(query)) for query in some)
        return told


def parts_of(approach: Approach) -> tuple[Approach, ...]:
    """The approaches that an approach is made of; itself where it is one of its own."""
    if isinstance(approach, CrossChecked):
        return (*parts_of(approach.first), *approach.others)
    parts: Sequence[Approach] = getattr(approach, "approaches", ()) or (approach,)
    return tuple(parts)


def _can_be_asked(path: str) -> bool:
    """Whether a path that a container has told is one that a collector takes."""
    try:
        make_request([Query("file", path)])
    except ScanError:
        return False
    return True


def _sees_more(first: str, second: str) -> bool:
    """Whether the first approach has at least the rights of the second in the container. The target's own shell has all
    of the target's, one beside it the same user, and an image's helper is no root."""
    one, other = (GRADES.index(kind_of(name).evidence.grade) for name in (first, second))
    return one < other


def _seen_again(
    found: Comparison,
    seen: Collected,
    witness: _Witness,
    again: _Again,
    mounts: Sequence[str],
) -> tuple[Collected, list[Query]]:
    """(what was seen, with what changed meanwhile as both have it now; what still differs)"""
    different = (*found.different, *found.refused)
    other = witness.facts
    if not different or other is None:
        return seen, []
    settled = compare(
        different,
        again(different),
        other,
        mounts,
        first_sees_more=_sees_more(seen.approach, witness.approach),
    ).alike
    facts = Facts(
        {**seen.facts, **{query.key: other.get_fact(query) for query in settled}}, seen.facts.collector
    )
    return replace(seen, facts=facts), [query for query in different if query not in settled]


def _with_confirmed_refusals(asked: Sequence[Query], seen: Collected, witness: _Witness) -> Facts:
    """What was seen, in which no file is said to be unreadable by one approach alone. An image confirms nothing: the
    container can have got other rights to a file than the image has."""
    facts = dict(seen.facts.by_key)
    for query in asked:
        is_confirmed = (
            witness.facts is not None
            and witness.approach != IMAGE
            and is_said_unreadable(query, witness.facts.get_fact(query))
        )
        if is_said_unreadable(query, seen.facts.get_fact(query)) and not is_confirmed:
            cause = f"{seen.approach} says that it cannot be read, and {witness.approach} does not confirm it"
            facts[query.key] = Fact(UNSUPPORTED, cause=cause)
    return replace(seen.facts, by_key=facts)


def _doubts(approach: str, drifted: Sequence[Query], unchecked: Sequence[Query]) -> list[Doubt]:
    doubts = []
    if drifted:
        doubts.append(
            Doubt(
                f"The container differs from its image in {number_of(len(drifted), 'fact')}, which it can have changed since "
                f"it started: {_listed(drifted)}."
            )
        )
    if unchecked:
        doubts.append(
            Doubt(
                f"The cross-check left out {number_of(len(unchecked), 'fact')} that {approach} could not read: "
                f"{_listed(unchecked)}."
            )
        )
    return doubts


def _doubts_of_unchecked(
    first: str, second: str, untold: Sequence[Query], unanswered: Sequence[Query]
) -> list[Doubt]:
    """
    :param untold: differ from the image, and it was not found out whether the container can have made the difference
    :param unanswered: answered by the second approach alone
    """
    doubts = []
    if untold:
        doubts.append(
            Doubt(
                f"The cross-check found {number_of(len(untold), 'difference')} between the container and its image, and could "
                f"not find out whether the container can have changed them: {_listed(untold)}.",
                at_best=EVIDENCE_TARGET,
            )
        )
    if unanswered:
        doubts.append(
            Doubt(
                f"The cross-check found {number_of(len(unanswered), 'fact')} that {second} could read and {first} could not: "
                f"{_listed(unanswered)}."
            )
        )
    return doubts


def _not_cross_checked(selected: SelectedTarget, seen: Collected, why: str) -> ScanError:
    return ScanError(
        "not_cross_checked", why, tried=f"checking {selected.target.path}, scanned by {seen.approach}"
    )


def _contradiction(selected: SelectedTarget, first: str, second: str, queries: Sequence[Query]) -> ScanError:
    return ScanError(
        "contradicting_evidence",
        f"a difference in {number_of(len(queries), 'fact')} between {first} and {second}: {_listed(queries)}",
        tried=f"scanning {selected.target.path} by {first}, checked by {second}",
    )


def _listed(queries: Sequence[Query]) -> str:
    more = len(queries) - _NAMED_FACTS
    return ", ".join(_named(queries)) + (f" and {more} more" if more > 0 else "")


def _named(queries: Sequence[Query]) -> list[str]:
    return [one_line(query.key, _FACT_CHARACTERS) for query in queries[:_NAMED_FACTS]]
