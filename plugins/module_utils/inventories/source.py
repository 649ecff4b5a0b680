# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a source of clusters is: one file that defines a SourceKind, with its options and a function that finds clusters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

from ..errors import ScanError
from ..options.spec import Spec
from .found_cluster import FoundCluster

Options = Mapping[str, Any]


@dataclass
class Surroundings:
    """What a source is given beside its options.

    :ivar environ: the environment's variables, by which a hub is reached that no option names
    :ivar folder: of the inventory file: relative paths are below it
    :ivar warnings: for the operator
    """

    environ: Mapping[str, str]
    folder: Path
    warnings: list[str] = field(default_factory=list)

    def path(self, text: str) -> Path:
        """The absolute path that an option means.

        :raises ScanError: bad_option for the content of a file in its place, which can hold a secret: it is not quoted
        """
        if "\n" in text or text.lstrip().startswith("{"):
            raise ScanError("bad_option", "a file's content stands where the path of a file must")
        try:
            return (self.folder / Path(text).expanduser()).absolute()
        except RuntimeError:
            raise ScanError("bad_option", f"the home directory of {text!r} is not known") from None


@dataclass(frozen=True)
class SourceKind:
    """A kind of source.

    :ivar name: the word of the option `type`
    :ivar spec: its options, beside those of all sources
    :ivar names: the fields of `name_format`, which its clusters have as `names`; the first is how the source calls them
    :ivar find: its clusters, from validated options

    `find` raises ScanError when the source cannot be read.
    """

    name: str
    spec: Spec
    names: tuple[str, ...]
    find: Callable[[Options, Surroundings], Iterator[FoundCluster]]


def spec_of_all(kind: SourceKind) -> Spec:
    """The options of a kind, with those that every source has."""
    return {
        "type": {"type": "str", "required": True},
        "name_format": {"type": "str", "default": f"{{{kind.names[0]}}}"},
        "labels": {"type": "dict", "default": {}},
        "required": {"type": "bool", "default": True},
        **kind.spec,
    }
