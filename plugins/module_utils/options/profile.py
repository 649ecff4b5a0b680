# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which profiles, with which inputs, and what people have decided about their controls beforehand."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..engines.registry import check_references
from ..profiles.compiled_profile import CompiledProfile
from ..results.amendments import Amendments
from .amendments import amendments_option, amendments_spec
from .spec import Params, Spec, bad_option


@dataclass(frozen=True)
class ProfileOptions:
    """`names`: shipped profiles, or paths. `inputs`: by name, of whatever type the profile declares. `tests`:
    whether the profiles' own tests are run."""

    names: tuple[str, ...]
    inputs: Mapping[str, Any]
    tests: bool = False

    @classmethod
    def from_params(cls, params: Params) -> ProfileOptions:
        """:raises ScanError: bad_option, for a profile of an engine that does not exist"""
        names = tuple(params["profiles"])
        check_references(names)
        # only scan_profile has tests
        return cls(names, params["inputs"], params.get("tests", False))


@dataclass(frozen=True)
class JudgingOptions:
    """What a target is judged by: the profiles that the controller has compiled, waivers and attestations."""

    profiles: tuple[CompiledProfile, ...]
    amendments: Amendments

    @classmethod
    def from_params(cls, params: Params) -> JudgingOptions:
        """:raises ScanError: bad_option where there is no profile; bad_profile; as `amendments_option`"""
        profiles = tuple(CompiledProfile.from_dict(profile) for profile in params["compiled_profiles"] or ())
        if not profiles:
            raise bad_option("profiles", "no profile was given")
        return cls(profiles, amendments_option(params))

    @property
    def inputs_sha256(self) -> str:
        """The same for the same values of all inputs. Empty where one of them is sensitive: a short secret could be guessed
        from its hash, so it is not known whether they are the same."""
        inputs = {profile.name: profile.inputs for profile in self.profiles}
        if any(one.get("sensitive") for given in inputs.values() for one in given):
            return ""
        values = {
            name: {str(one["name"]): one.get("value") for one in given} for name, given in inputs.items()
        }
        text = json.dumps(values, sort_keys=True, separators=(",", ":"), default=str)
        return hashlib.sha256(text.encode("ascii")).hexdigest()


def profiles_spec() -> Spec:
    return {
        "profiles": {
            "type": "list",
            "elements": "str",
            "default": ["container-baseline", "workload-baseline"],
        },
        "inputs": {"type": "dict", "default": {}},
    }


def judging_spec() -> Spec:
    """The profiles, by name and (filled in by the controller) compiled, and the amendments."""
    return {
        "compiled_profiles": {"type": "list", "elements": "dict"},
        **amendments_spec(),
        **profiles_spec(),
    }


def scan_profile_spec() -> Spec:
    return {"tests": {"type": "bool", "default": False}, **profiles_spec()}
