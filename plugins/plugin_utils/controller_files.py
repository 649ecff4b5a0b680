# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of the controller that a task needs wherever it runs: found as Ansible finds files."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterable, Sequence
from typing import Any

from ansible.errors import AnsibleFileNotFound

from ..module_utils.tasks.named_files import (
    NamedFiles,
    absolute,
    exists,
    looks_like_content,
    read_content,
    read_yaml_file,
)

__all__ = ["ControllerFiles", "looks_like_content", "read_content", "read_yaml_file"]

_COLLECTION = pathlib.Path(__file__).resolve().parents[2]
# In these stand files of the collection, which nobody means by a name of a file: a play of `securescan.kubernetes.scan` is
# in the first, our roles are in the second.
_OWN_FOLDERS = (_COLLECTION / "playbooks", _COLLECTION / "roles")


class ControllerFiles(NamedFiles):
    """Looks for a relative path as Ansible does: in the folder `files` of the role and the play, and in these folders
    themselves, the nearest first; then in the current directory.

    :param search_path: of the task, as its `get_search_path` gives it
    :param loader: Ansible's DataLoader
    """

    def __init__(self, search_path: Iterable[str], loader: Any) -> None:
        super().__init__()
        self._folders = [folder for folder in search_path if not _is_ours(folder)]
        self._loader = loader

    def look_for(self, path: str) -> tuple[str | None, Sequence[str]]:
        """The absolute path, None where there is no such file; and the absolute paths that were tried."""
        own = pathlib.Path(path).expanduser()
        here = absolute(own)
        tried: list[str] = []
        if not own.is_absolute() and not looks_like_content(path) and "\0" not in path:
            try:
                found = absolute(self._loader.path_dwim_relative_stack(self._folders, "files", path))
                if not _is_ours(found):
                    return found, [found]
            except AnsibleFileNotFound as missing:
                places = (absolute(os.fsdecode(place)) for place in missing.paths or ())
                tried = [place for place in places if not _is_ours(place)]
        tried = [*tried, here] if here not in tried else tried
        return (here if exists(here) else None), list(dict.fromkeys(tried))


def _is_ours(path: str) -> bool:
    place = pathlib.Path(os.path.realpath(path))
    return any(folder == place or folder in place.parents for folder in _OWN_FOLDERS)
