# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A profile that was checked and compiled: plain JSON in a thin class, ready to be evaluated on any machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from ..errors import ScanError

# Increased when the shape of controls changes: a module that runs elsewhere can have another version.
_FORMAT = 3


@dataclass(frozen=True)
class CompiledProfile:
    """One compiled profile. It contains the values of sensitive inputs, so treat it as a credential.

    `sha256` is the hash of its source files in their order, and of those of its dependencies. `file` is the
    name of profile.yml with its folder, as results show it; each control names its own file. Controls and
    inputs of dependencies follow the profile's own. `inputs` are the fields of `inputs.Input`, with the
    values for this scan. A control is a mapping:
      id, title, desc, impact, descriptions, tags, refs, code (its YAML source), file, line, manual (bool),
      supports (that of each profile that it comes through), only_if (None, or {reason, tests, any_of}),
      tests: a list of
        {resource, params, id, title, line, expect: [{attribute, conditions, description, expected, masked}]}
    """

    # the engine that judges by it
    engine: ClassVar[str] = "builtin"

    name: str
    title: str
    version: str
    sha256: str
    file: str
    maintainer: str = ""
    license: str = ""
    summary: str = ""
    copyright: str = ""
    supports: list[dict[str, str]] = field(default_factory=list)
    inputs: list[dict[str, Any]] = field(default_factory=list)
    controls: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Everything as JSON types: the profile's own parts, no copies, which cost most of a host's share."""
        return {**{one.name: getattr(self, one.name) for one in fields(self)}, "format": _FORMAT}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> CompiledProfile:
        """The profile from what `as_dict` returned.

        :raises ScanError: bad_profile, if another version of the engine made it
        """
        if data.get("format") != _FORMAT:
            raise ScanError(
                "bad_profile",
                "The compiled profile has format {!r}, this engine reads format {}".format(
                    data.get("format"), _FORMAT
                ),
                advice="Use one version of the collection everywhere.",
            )
        return cls(**{entry.name: data[entry.name] for entry in fields(cls)})
