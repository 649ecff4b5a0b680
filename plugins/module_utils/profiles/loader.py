# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds, reads and compiles profiles."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import ScanError
from ..suggestions import nearest
from ..vocabulary.yaml_document import Document, read_document, syntax_error
from .compile_controls import compile_profile
from .compiled_profile import CompiledProfile
from .dependencies import Dependency
from .inputs import Preset, check_given

PROFILE_FILE = "profile.yml"
# Beside a profile.yml: a folder of files with more controls, each of them {controls: [...]}.
CONTROLS_FOLDER = "controls"
_SIZE_LIMIT = 2 * 1024 * 1024


def load_profile(path_or_name: str, search: Sequence[Path], inputs: Mapping[str, Any]) -> CompiledProfile:
    """Load and check one profile.

    :param path_or_name: a file, a folder with a profile.yml, or the name of such a folder in one of `search`.
        A name without a slash is looked for in `search` first. The files in a folder `controls` beside
        profile.yml contain more controls; they follow those of profile.yml in the order of the files' names.
    :param inputs: values for the profile's inputs and those of its dependencies. Names that it does not
        declare are ignored: they can be another profile's (`load_profiles` refuses those that no profile
        declares)
    :raises ScanError: profile_not_found; bad_profile, which says file, line, what was found and what was
        expected; bad_option for an input's value; missing_library without PyYAML
    """
    return _Loader(search, inputs).load(find_profile(path_or_name, search), {}, {})


class _Loader:
    """Loads a profile with all that it depends on."""

    def __init__(self, search: Sequence[Path], inputs: Mapping[str, Any]) -> None:
        self._search = search
        self._inputs = inputs

    def load(self, file: Path, preset: Mapping[str, Preset], above: Mapping[Path, str]) -> CompiledProfile:
        """Load a profile; `above`: the files of the profiles that depend on it -> their names in results."""
        folder = file.resolve().parent.name
        digest = hashlib.sha256()
        documents: dict[str, Document] = {}
        for part, shown in [(file, file.name)] + [
            (more, f"{CONTROLS_FOLDER}/{more.name}") for more in _more(file)
        ]:
            content, text = read_text(part)
            digest.update(content)
            documents[f"{folder}/{shown}"] = read_document(str(part), text, of_controller=True)
        here = {**above, file.resolve(): f"{folder}/{file.name}"}

        def load_dependency(dependency: Dependency) -> CompiledProfile:
            found = self._find(dependency, file.parent)
            if found.resolve() in here:
                circle = " -> ".join([*here.values(), here[found.resolve()]])
                dependency.cursor.fail(
                    f"depends on '{dependency.name}': found a circle ({circle}); expected profiles that do "
                    "not depend on themselves"
                )
            return self.load(found, dependency.inputs, here)

        return compile_profile(documents, digest.hexdigest(), self._inputs, preset, load_dependency)

    def _find(self, dependency: Dependency, folder: Path) -> Path:
        if dependency.path:
            candidates = [folder / Path(dependency.path).expanduser()]
        else:
            candidates = [shipped / dependency.name for shipped in self._search]
        try:
            return _first(dependency.path or dependency.name, candidates, self._search)
        except ScanError as error:
            dependency.cursor.fail(f"depends on '{dependency.name}': {error.message}")


def _more(file: Path) -> list[Path]:
    """The files of controls beside a profile.yml. Any other file in their folder is an error."""
    folder = file.parent / CONTROLS_FOLDER
    if file.name != PROFILE_FILE or not folder.is_dir():
        return []
    try:
        found = sorted(folder.iterdir())
    except OSError as error:
        raise ScanError(
            "profile_not_found",
            "The profile's controls cannot be read: %s" % (error.strerror or error),
            tried=f"load {folder}",
        ) from error
    for path in found:
        if path.suffix != ".yml":
            raise syntax_error(str(path), 1, "found a file that is no .yml; expected files of controls only")
    return found


def read_text(file: Path) -> tuple[bytes, str]:
    """The bytes of a profile's file, and its text.

    :raises ScanError: bad_profile, profile_not_found
    """
    try:
        if file.stat().st_size > _SIZE_LIMIT:
            raise syntax_error(str(file), 1, f"the file is larger than {_SIZE_LIMIT} bytes")
        content = file.read_bytes()
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise syntax_error(
            str(file), line, "found a byte that is not UTF-8; expected a text file in UTF-8"
        ) from error
    except OSError as error:
        raise ScanError(
            "profile_not_found",
            "The profile's file cannot be read: %s" % (error.strerror or error),
            tried=f"load {file}",
        ) from error
    return content, text


def load_profiles(
    paths_or_names: Iterable[str], search: Sequence[Path], inputs: Mapping[str, Any]
) -> tuple[CompiledProfile, ...]:
    """Load all profiles of a scan, each as `load_profile` does.

    :raises ScanError: what `load_profile` raises; bad_option for two profiles of one name, or an input that
        none declares
    """
    profiles: list[CompiledProfile] = []
    for path_or_name in paths_or_names:
        profile = load_profile(path_or_name, search, inputs)
        if any(profile.name == other.name for other in profiles):
            raise ScanError(
                "bad_option",
                f"Two profiles are called '{profile.name}', so their results could not be told apart",
                tried=f"load {path_or_name}",
            )
        profiles.append(profile)
    check_given(inputs, {entry["name"]: True for profile in profiles for entry in profile.inputs})
    return tuple(profiles)


def find_profile(path_or_name: str, search: Sequence[Path]) -> Path:
    """The file of a profile, found as `load_profile` says.

    :raises ScanError: profile_not_found
    """
    candidates = [Path(path_or_name).expanduser()]
    if path_or_name and "/" not in path_or_name:
        candidates = [folder / path_or_name for folder in search] + candidates
    return _first(path_or_name, candidates, search)


def _first(asked: str, candidates: Sequence[Path], search: Sequence[Path]) -> Path:
    for candidate in candidates if asked else []:
        file = candidate / PROFILE_FILE if candidate.is_dir() else candidate
        if file.is_file():
            return file
    raise profile_not_found(asked, [str(candidate.absolute()) for candidate in candidates], search)


def profile_not_found(asked: str, looked: Sequence[str], search: Sequence[Path]) -> ScanError:
    """:param looked: the paths where it was looked for; `search`: the folders of profiles that are known by name"""
    names = [path.parent.name for folder in search for path in sorted(folder.glob("*/" + PROFILE_FILE))]
    return ScanError(
        "profile_not_found",
        "No profile '{}'{} at {}; known names are {}".format(
            asked,
            nearest(asked, names, "looked"),
            ", ".join(looked),
            ", ".join(names) or "none",
        ),
    )
