# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The image's side of what is asked of a running container, for drift, which compares both.

Whatever approach reaches the container, its image is listed by the approach `image`: once for all containers
that run it. What goes wrong with that costs the facts of the image's side, and not those of the container.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..collector.facts import UNREACHED, Fact, Facts, Query
from ..collector.request import CollectionRequest
from ..drift.listings import image_queries, to_image_query
from ..errors import ScanError
from ..targets.selection import SelectedTarget
from .approach import Approach, Collected
from .choice import ApproachOptions, open_one
from .cross_check import parts_of
from .image import NAME as IMAGE
from .pod_entry import Means
from .session import Collecting, Footprint, Session


def with_image_side(live: Approach, means: Means, options: ApproachOptions) -> Approach:
    """The approach, made to answer requests that ask for the image's side, too."""
    shared = next((part for part in parts_of(live) if part.name == IMAGE), None)
    if shared is not None:
        return _BothSides(live, shared)
    missing = options.missing_option(IMAGE)
    if missing:
        return _BothSides(live, None, f"its image cannot be listed: {missing}")
    own = open_one(IMAGE, means, options)
    return _BothSides(live, own, owned=own)


class _BothSides:
    """Collects by the one approach, and adds the image's side by the other; `name` stays that of the
    first."""

    def __init__(
        self, live: Approach, image: Approach | None, why_not: str = "", *, owned: Approach | None = None
    ) -> None:
        """
        :param image: what lists images; None where that is not possible, which `why_not` says
        :param owned: the same where it is not part of `live`, which closes and counts it
        """
        self.name = live.name
        self._live = live
        self._image = image
        self._why_not = why_not
        self._owned = owned

    @property
    def execs(self) -> int:
        return self._live.execs + (self._owned.execs if self._owned else 0)

    @property
    def added(self) -> list[Footprint]:
        return self._live.added

    @property
    def not_ended(self) -> list[Footprint]:
        return self._live.not_ended

    def enter(self, selected: SelectedTarget) -> Session:
        """A session by the one approach, which answers requests for the image's side, too."""
        session = self._live.enter(selected)
        approach = session.entered.approach

        def with_side(collect: Collecting) -> Collecting:
            return lambda request, is_last: self._add_side(
                selected, request, approach, collect(_inside(request), is_last)
            )

        session.change_collecting(with_side)
        return session

    def collect(self, selected: SelectedTarget, request: CollectionRequest) -> Collected:
        """The facts of one target with the image's side; ScanError as the approach that reaches it."""
        collected = self._live.collect(selected, _inside(request))
        return replace(
            collected, facts=self._add_side(selected, request, collected.approach, collected.facts)
        )

    def _add_side(
        self, selected: SelectedTarget, request: CollectionRequest, approach: str, facts: Facts
    ) -> Facts:
        wanted = image_queries(request.queries)
        if not wanted:
            return facts
        try:
            side = self._image_side(selected, request, wanted, approach)
        except ScanError as error:
            if error.reason == "cancelled":
                raise
            side = _not_known(wanted, f"its image was not listed: {error}")
        return Facts({**facts, **side}, facts.collector)

    def _image_side(
        self, selected: SelectedTarget, request: CollectionRequest, wanted: Sequence[Query], approach: str
    ) -> dict[str, Fact]:
        if approach == IMAGE:
            return _not_known(
                wanted, "the container was seen by its image only, which cannot differ from itself"
            )
        if self._image is None:
            return _not_known(wanted, self._why_not)
        asked = {query.key: to_image_query(query) for query in wanted}
        seen = self._image.collect(selected, replace(request, queries=tuple(asked.values()))).facts
        return {key: seen.get_fact(query) for key, query in asked.items()}

    def close(self) -> None:
        self._live.close()
        if self._owned:
            self._owned.close()


def _inside(request: CollectionRequest) -> CollectionRequest:
    """What of a request is asked of the container."""
    wanted = image_queries(request.queries)
    return replace(request, queries=tuple(query for query in request.queries if query not in wanted))


def _not_known(wanted: Sequence[Query], cause: str) -> dict[str, Fact]:
    return {query.key: Fact(UNREACHED, cause=cause) for query in wanted}
