# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task judges by: profiles, waivers, attestations, thresholds, teams and deadlines, files of which it gets the
content."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..options.profile import ProfileOptions
from ..options.spec import Params
from ..results.attestations import load_attestations
from ..results.deadline_policy import load_deadlines
from ..results.exception_policy import load_exception_policy
from ..results.teams import load_teams
from ..results.waivers import load_waivers
from .named_files import NamedFiles, read_content
from .profile import (
    chosen_profiles,
    is_shipped,
    no_such_profile,
)


def read_judging_input(params: Params, files: NamedFiles) -> dict[str, Any]:
    """Profiles, waivers and attestations are files where options are given; a task gets their content.

    :raises ScanError: naming the file, where one breaks its format; bad_option, for a profile of an engine
        that does not exist
    """
    return {"compiled_profiles": compiled_profiles(params, files), **read_amendment_files(params, files)}


def compiled_profiles(params: Params, files: NamedFiles) -> list[dict[str, Any]]:
    """The profiles as plain values. :raises ScanError: as `found_profiles` and `chosen_profiles`"""
    options = ProfileOptions.from_params(params)
    names = found_profiles(options.names, files)
    return [profile.as_dict() for profile in chosen_profiles(names, options.inputs)]


def found_profiles(names: Sequence[str], files: NamedFiles) -> list[str]:
    """The names of shipped profiles as they are, other profiles by the absolute paths of their files or folders.

    :raises ScanError: profile_not_found, with all places that were tried
    """
    return [name if is_shipped(name) else _found_profile(name, files) for name in names]


def _found_profile(name: str, files: NamedFiles) -> str:
    found, tried = files.look_for(name)
    if found is None:
        raise no_such_profile(name, tried)
    return found


def read_threshold_file(params: Params, files: NamedFiles) -> dict[str, Any]:
    """A threshold file is a file where options are given; a task gets its content.

    :raises ScanError: bad_file; bad_threshold, for what is no YAML
    """
    path = params["threshold"]
    if not isinstance(path, str):
        return {}
    content, source = read_content(path, "threshold", "bad_threshold", files)
    # an empty file is no wish for the default
    return {"threshold": {} if content is None else content, "threshold_source": source}


def read_amendment_files(params: Params, files: NamedFiles) -> dict[str, Any]:
    """The content of those of the three options that name a file. ScanError, naming the file, where it breaks
    its format."""
    return {
        **_read(params, files, "waivers", "bad_waivers", load_waivers),
        **_read(params, files, "attestations", "bad_attestations", load_attestations),
        **_read(params, files, "exception_policy", "bad_exception_policy", load_exception_policy),
    }


def read_ownership_files(params: Params, files: NamedFiles) -> dict[str, Any]:
    """The same for the rules of teams and the policy of deadlines."""
    return {
        **read_teams_file(params, files),
        **_read(params, files, "deadlines", "bad_deadlines", load_deadlines),
    }


def read_teams_file(params: Params, files: NamedFiles) -> dict[str, Any]:
    return _read(params, files, "teams", "bad_teams", load_teams)


def _read(
    params: Params, files: NamedFiles, option: str, reason: str, load: Callable[[Any, str], object]
) -> dict[str, Any]:
    """{option: content} where it names a file, else {}.

    :param load: raises ScanError where the content breaks the format
    """
    path = params[option]
    if not isinstance(path, str):
        return {}
    content, source = read_content(path, option, reason, files)
    load(content, source)
    return {option: content}
