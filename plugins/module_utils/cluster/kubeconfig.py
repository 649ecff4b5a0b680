# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads kubeconfig files as kubectl does: merges them, chooses a context, resolves paths relative to their
file. Where that differs on purpose stands in docs/connection.md.

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

from ..counted_yaml import NOT_YAML, YamlError, YamlLimits, read_as_kubectl
from ..errors import ScanError
from ..network.tls import read_file
from .kubeconfig_shape import check_kubeconfig

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

    def list_of(self, key: str) -> Sequence[Any]:
        """The list under `key`, whose type was checked; empty if it is not set."""
        return self.content.get(key) or ()

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
                # In lines, as `base64` prints it: white space counts for nothing, anything else is a fault.
                return base64.b64decode("".join(data.split()), validate=True)
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
    contexts, clusters, users = _all_sections(documents)
    current = next(
        (text for text in (document.get("current-context") or "" for document, _folder in documents) if text),
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


def load_every_context(source: KubeconfigSource) -> list[KubeconfigChoice]:
    """Every context, with its cluster and user, in the order of the file.

    :raises ScanError: bad_file, bad_option, missing_library
    """
    name, documents, files = _documents(source)
    contexts, clusters, users = _all_sections(documents)
    return [
        KubeconfigChoice(
            name,
            context,
            _referred(context, "cluster", clusters, name),
            _referred(context, "user", users, name),
            files,
        )
        for context in contexts.values()
    ]


def _documents(
    source: KubeconfigSource,
) -> tuple[str, list[tuple[Mapping[str, Any], Path]], tuple[Path, ...]]:
    """The source's name for messages, each document with the folder to which its paths are relative, and the
    files that were read."""
    if not isinstance(source, str):
        check_kubeconfig(source, "the kubeconfig")
        return "the kubeconfig", [(source, Path.cwd())], ()
    if "\n" in source or source.lstrip().startswith("{"):
        document = parse_kubeconfig(source.encode("utf-8", "surrogatepass"), "the kubeconfig")
        return _filled("the kubeconfig", [(document, Path.cwd())]), [(document, Path.cwd())], ()
    paths = [Path(part).expanduser() for part in source.split(os.pathsep) if part]
    if not paths:
        raise ScanError("bad_option", f"the list of kubeconfig files {source!r} names no file")
    documents, present = [], []
    for path in paths:
        # As in kubectl, some of several files can be missing, or say nothing.
        if len(paths) == 1 or not _is_missing(path):
            content = read_file(path, "kubeconfig")
            documents.append((parse_kubeconfig(content, f"kubeconfig {path}"), path.absolute().parent))
            present.append(path)
    name = f"kubeconfig {os.pathsep.join(map(str, present or paths))}"
    if not present:
        raise ScanError("bad_file", f"{name} cannot be read (No such file or directory)")
    return _filled(name, documents), documents, tuple(path.absolute() for path in present)


def _is_missing(path: Path) -> bool:
    try:
        path.stat()
    except FileNotFoundError:
        return True
    except (OSError, ValueError):
        return False  # why it cannot be read is said by who reads it
    return False


def _filled(name: str, documents: Sequence[tuple[Mapping[str, Any], Path]]) -> str:
    """The name of what was read, if any of it says something.

    :raises ScanError: bad_file
    """
    if not any(document for document, _folder in documents):
        raise ScanError(
            "bad_file",
            f"{name} is empty",
            advice="Write the kubeconfig anew, or name the one that is meant (kubeconfig, KUBECONFIG).",
        )
    return name


def parse_kubeconfig(content: bytes, name: str) -> Mapping[str, Any]:
    """The content of one file; nothing where there is nothing, but for comments, in it.

    :param name: of the file, for messages
    :raises ScanError: bad_file, missing_library
    """
    is_utf_16 = content[:2] in (b"\xff\xfe", b"\xfe\xff")  # as PowerShell writes files
    try:
        document = read_as_kubectl(content.decode("utf-16" if is_utf_16 else "utf-8"), name, _LIMITS)
    except UnicodeDecodeError:
        raise ScanError("bad_file", f"{name} is not valid YAML: it is not UTF-8") from None
    except YamlError as problem:
        # Not the problem's own text: it quotes the file, and the file holds secrets.
        why = "" if problem.rule == NOT_YAML else f": {problem.rule}"
        raise ScanError("bad_file", f"{name} is not valid YAML (line {problem.line}){why}") from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise ScanError("bad_file", f"{name} is not a kubeconfig")
    check_kubeconfig(document, name)
    return document


def _all_sections(documents: Sequence[tuple[Mapping[str, Any], Path]]) -> tuple[dict[str, Section], ...]:
    """The contexts, the clusters and the users, each by name."""
    return tuple(_sections(documents, kind) for kind in ("contexts", "clusters", "users"))


def _sections(documents: Sequence[tuple[Mapping[str, Any], Path]], kind: str) -> dict[str, Section]:
    """The named entries of all documents. Of several with one name in several files the first counts; in one file
    that is a fault. Both as in kubectl."""
    sections: dict[str, Section] = {}
    for document, folder in documents:
        own: dict[str, Section] = {}
        for entry in document.get(kind) or []:
            name = (entry or {}).get("name") or ""
            if name in own:
                raise ScanError(
                    "bad_file",
                    f"{kind} of the kubeconfig has two entries of the name {name!r}",
                    advice="Remove one of them, or rename it: kubectl refuses such a file, too.",
                )
            own[name] = Section(name, (entry or {}).get(kind[:-1]) or {}, folder)
        sections = {**own, **sections}
    return sections


def _referred(context: Section, kind: str, sections: Mapping[str, Section], source: str) -> Section:
    name = context.text(kind)
    if not name and kind == "user":
        return Section("", {}, context.folder)  # who a credential is given for otherwise needs no user
    if name not in sections:
        raise ScanError(
            "bad_file",
            f"context {context.name!r} of {source} refers to the {kind} {name!r}, which does not exist"
            if name
            else f"context {context.name!r} of {source} names no {kind}",
        )
    return sections[name]


def _name_list(sections: Mapping[str, Section]) -> str:
    names = sorted(sections)
    shown = ", ".join(names[:_NAMES_SHOWN]) or "(there is none)"
    more = len(names) - _NAMES_SHOWN
    return shown + (f" and {more} more" if more > 0 else "")
