# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads kubeconfig files as kubectl does: merges them, chooses a context, resolves paths relative to their
file.

The loader of the `kubernetes` package is not used. It ignores `as` (impersonation), and continues without a
credential if an exec plugin fails: requests would run as another user. It reads a token file only once, and
leaves private keys in temporary files.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Union

from ..counted_yaml import NOT_YAML, YamlError, YamlLimits, compose_yaml, plain_data
from ..errors import ScanError
from ..network.tls import read_file

# A path, several paths separated as in PATH, the content as YAML text, or the content as a mapping.
KubeconfigSource = Union[str, Mapping[str, Any]]
_NAMES_SHOWN = 20
# Certificates stand in it, and a file can have thousands of clusters.
_LIMITS = YamlLimits(characters=16 * 1024 * 1024)


@dataclass(frozen=True)
class Section:
    """A `cluster`, `user` or `context` of a kubeconfig: its name, its content, and the folder of its file."""

    name: str
    content: Mapping[str, Any]
    folder: Path

    def text(self, key: str) -> str:
        """:raises ScanError: bad_file if the value is not text"""
        value = self.content.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise ScanError("bad_file", f"{key} of {self.name!r} in the kubeconfig is not text")
        return value

    def path(self, key: str) -> Path | None:
        """The file that `key` names; None if it is not set."""
        value = self.text(key)
        return self.folder / Path(value).expanduser() if value else None

    def file_or_data(self, key: str) -> bytes | None:
        """The content of `key`-data (base64), else of the file that `key` names, else None.

        :raises ScanError: bad_file
        """
        data = self.text(key + "-data")
        if data:
            try:
                return base64.b64decode(data, validate=False)
            except (binascii.Error, ValueError):
                raise ScanError(
                    "bad_file", f"{key}-data of {self.name!r} in the kubeconfig is not base64"
                ) from None
        path = self.path(key)
        return None if path is None else read_file(path, key)


@dataclass(frozen=True)
class KubeconfigChoice:
    """One context of a kubeconfig with its cluster and user. `files`: those that were read."""

    source: str
    context: Section
    cluster: Section
    user: Section
    files: tuple[Path, ...] = ()


def load_kubeconfig(source: KubeconfigSource, context: str | None = None) -> KubeconfigChoice:
    """Read and merge, then choose `context`, or the current one.

    :raises ScanError: bad_file, bad_option (no such context), missing_library
    """
    name, documents, files = _documents(source)
    contexts, clusters, users = (_sections(documents, kind) for kind in ("contexts", "clusters", "users"))
    current = next(
        (
            text
            for text in (str(document.get("current-context") or "") for document, _unused in documents)
            if text
        ),
        "",
    )
    wanted = context or current
    if not wanted:
        raise ScanError(
            "bad_option",
            f"{name} has no current context",
            advice=f"Set context to one of: {_name_list(contexts)}.",
        )
    if wanted not in contexts:
        raise ScanError(
            "bad_option",
            f"{name} has no context {wanted!r}",
            advice=f"Set context to one of: {_name_list(contexts)}.",
        )
    chosen = contexts[wanted]
    return KubeconfigChoice(
        name,
        chosen,
        _referred(chosen, "cluster", clusters, name),
        _referred(chosen, "user", users, name),
        files,
    )


def _documents(
    source: KubeconfigSource,
) -> tuple[str, list[tuple[Mapping[str, Any], Path]], tuple[Path, ...]]:
    """The source's name for messages, each document with the folder to which its paths are relative, and the
    files that were read."""
    if not isinstance(source, str):
        return "the kubeconfig", [(source, Path.cwd())], ()
    if "\n" in source or source.lstrip().startswith("{"):
        return "the kubeconfig", [(_parse(source.encode("utf-8"), "the kubeconfig"), Path.cwd())], ()
    paths = [Path(part).expanduser() for part in source.split(os.pathsep) if part]
    # As in kubectl, some of several files can be missing.
    present = [path for path in paths if path.exists()] or paths
    name = f"kubeconfig {os.pathsep.join(map(str, present))}"
    documents = [
        (_parse(read_file(path, "kubeconfig"), f"kubeconfig {path}"), path.absolute().parent)
        for path in present
    ]
    return name, documents, tuple(path.absolute() for path in present)


def _parse(content: bytes, name: str) -> Mapping[str, Any]:
    try:
        document = plain_data(compose_yaml(content.decode("utf-8"), name, _LIMITS, quick=True))
    except UnicodeDecodeError:
        raise ScanError("bad_file", f"{name} is not valid YAML: it is not UTF-8") from None
    except YamlError as problem:
        # Not the problem's own text: it quotes the file, and the file holds secrets.
        why = "" if problem.rule == NOT_YAML else f": {problem.rule}"
        raise ScanError("bad_file", f"{name} is not valid YAML (line {problem.line}){why}") from None
    if not isinstance(document, dict):
        raise ScanError(
            "bad_file", "{} is {}".format(name, "empty" if document is None else "not a kubeconfig")
        )
    return document


def _sections(documents: Sequence[tuple[Mapping[str, Any], Path]], kind: str) -> dict[str, Section]:
    """The named entries of all documents. Of several with one name the first counts, as in kubectl."""
    sections: dict[str, Section] = {}
    for document, folder in documents:
        entries = document.get(kind) or []
        for entry in entries if isinstance(entries, list) else [entries]:
            content = entry.get(kind[:-1]) if isinstance(entry, dict) else None
            if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
                raise ScanError("bad_file", f"an entry of {kind} in the kubeconfig has no name")
            sections.setdefault(
                entry["name"], Section(entry["name"], content if isinstance(content, dict) else {}, folder)
            )
    return sections


def _referred(context: Section, kind: str, sections: Mapping[str, Section], source: str) -> Section:
    name = context.text(kind)
    if name not in sections:
        raise ScanError(
            "bad_file",
            f"context {context.name!r} of {source} refers to the {kind} {name!r}, which does not exist",
        )
    return sections[name]


def _name_list(sections: Mapping[str, Section]) -> str:
    names = sorted(sections)
    shown = ", ".join(names[:_NAMES_SHOWN]) or "(there is none)"
    more = len(names) - _NAMES_SHOWN
    return shown + (f" and {more} more" if more > 0 else "")
