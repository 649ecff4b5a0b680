# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that say who owns a namespace, and what its deadlines are."""

from __future__ import annotations

from dataclasses import dataclass

from ..results.deadline_policy import DeadlinePolicy, load_deadlines
from ..results.teams import TeamRules, load_teams
from .spec import Params, Spec
from .values import numbers_in_text


@dataclass(frozen=True)
class OwnershipOptions:
    """Both are None where they are not given."""

    teams: TeamRules | None = None
    deadlines: DeadlinePolicy | None = None

    @classmethod
    def from_params(cls, params: Params) -> OwnershipOptions:
        """:raises ScanError: bad_teams, bad_deadlines; numbers of the latter can be written as texts"""
        deadlines = params["deadlines"]
        return cls(
            teams_option(params),
            load_deadlines(numbers_in_text(deadlines), "the option deadlines")
            if deadlines is not None
            else None,
        )


def teams_option(params: Params) -> TeamRules | None:
    """None where it is not given. :raises ScanError: bad_teams"""
    teams = params["teams"]
    return load_teams(teams, "the option teams") if teams is not None else None


def teams_spec() -> Spec:
    return {"teams": {"type": "raw"}}


def ownership_spec() -> Spec:
    return {**teams_spec(), "deadlines": {"type": "raw"}}
