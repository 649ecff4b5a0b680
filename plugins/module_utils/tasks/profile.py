# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `scan_profile`: loads and checks profiles. A broken one is found before a cluster is touched."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

from ..errors import ScanError
from ..options.profile import ProfileOptions, profiles_spec
from ..options.spec import Params
from ..profiles.compiled_profile import CompiledProfile
from ..profiles.loader import PROFILE_FILE, load_profiles, profile_not_found
from .context import TaskContext
from .profile_tests import failures_error, run_cases

# plugins/module_utils/tasks/profile.py -> the collection's root
_SHIPPED = pathlib.Path(__file__).resolve().parents[3] / "profiles"


def run_scan_profile(params: Params, context: TaskContext) -> dict[str, Any]:
    """Result keys: changed (always false), profiles: name, title, version, sha256 and number of controls of
    each. With the option `tests` also tests, and where an expectation is not met failed, msg and error.
    """
    options = ProfileOptions.from_params(params)
    if not options.tests:
        profiles = chosen_profiles(options.names, options.inputs)
        return {"changed": False, "profiles": [_as_result(profile) for profile in profiles]}
    tested = run_cases(options.names, [_SHIPPED], options.inputs)
    result: dict[str, Any] = {
        "changed": False,
        "profiles": [_as_result(one.profile) for one in tested],
        "tests": [one.as_result() for one in tested],
    }
    error = failures_error(tested)
    if error:
        result.update(failed=True, msg=str(error), error=error.record())
    return result


def chosen_profiles(
    names: Sequence[str], inputs: Mapping[str, Any] | None = None
) -> tuple[CompiledProfile, ...]:
    """The profiles of these names, shipped ones or paths, compiled with these inputs.

    :raises ScanError: as `load_profiles`
    """
    if not inputs and shipped_names().issuperset(names):
        return _shipped_profiles(tuple(names))
    return load_profiles(names, [_SHIPPED], inputs or {})


def is_shipped(name: str) -> bool:
    """Whether the collection has a profile of this name."""
    return name in shipped_names()


def no_such_profile(name: str, tried: Sequence[str]) -> ScanError:
    """:param tried: the paths where a profile was looked for"""
    return profile_not_found(name, tried, [_SHIPPED])


def compile_shipped_profiles() -> None:
    """Compiles the default profiles once, for all processes that this one forks."""
    with suppress(ScanError):  # the task that asks for them is told
        _shipped_profiles(tuple(profiles_spec()["profiles"]["default"]))


@lru_cache(maxsize=1)
def shipped_names() -> frozenset[str]:
    """The names of the profiles that the collection has."""
    return frozenset(file.parent.name for file in _SHIPPED.glob("*/" + PROFILE_FILE))


@lru_cache(maxsize=8)
def _shipped_profiles(names: tuple[str, ...]) -> tuple[CompiledProfile, ...]:
    return load_profiles(names, [_SHIPPED], {})


def _as_result(profile: CompiledProfile) -> dict[str, Any]:
    return {
        "name": profile.name,
        "title": profile.title,
        "version": profile.version,
        "sha256": profile.sha256,
        "controls": len(profile.controls),
    }
