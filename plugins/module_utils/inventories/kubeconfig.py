# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The contexts of kubeconfig files: each is a cluster."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from ..cluster.kubeconfig import KubeconfigChoice, load_every_context
from ..errors import ScanError
from .found_cluster import FoundCluster
from .source import Options, SourceKind, Surroundings

_FILES = 5000
_PATTERN = re.compile(r"[*?\[]")
_EKS_NAME = re.compile(r"arn:aws[a-z-]*:eks:(?P<region>[a-z0-9-]+):\d+:cluster/.+")
_EKS_HOST = re.compile(r".+\.(?P<region>[a-z0-9-]+)\.eks\.amazonaws\.com(\.cn)?")
_AKS_HOST = re.compile(r".+\.(?P<region>[a-z0-9]+)\.azmk8s\.io")
_GKE_NAME = re.compile(r"gke_[^_]+_(?P<region>[a-z]+-[a-z]+\d+)(-[a-z])?_.+")


def find_clusters(options: Options, around: Surroundings) -> Iterator[FoundCluster]:
    """:raises ScanError: bad_file, bad_option, missing_library"""
    count = 0
    for text in options["paths"]:
        for file in _files(text, around):
            count += 1
            if count > _FILES:
                raise ScanError("bad_option", f"paths name more than {_FILES} kubeconfig files")
            if os.pathsep in str(file):
                raise ScanError(
                    "bad_option",
                    f"the name of {file} has a {os.pathsep!r}, by which kubeconfigs in a list are separated",
                    advice="Give the file another name. Several files are several entries of paths.",
                )
            for choice in load_every_context(str(file)):
                yield _of_context(choice, file)


def _files(text: str, around: Surroundings) -> list[Path]:
    """The files that a path, a folder or a pattern means."""
    path = around.path(text)
    if _PATTERN.search(text):
        if any("**" in part and part != "**" for part in path.parts):  # Pythons differ in what it means
            raise ScanError(
                "bad_option", f"{text!r} is no pattern of paths: ** must be a whole folder's name"
            )
        files = sorted(each for each in Path(path.anchor).glob(str(path)[1:]) if each.is_file())
        if not files:
            raise ScanError("bad_file", f"no file matches {path}")
        return files
    if not path.is_dir():
        return [path]
    try:
        files = sorted(each for each in path.iterdir() if each.is_file() and not each.name.startswith("."))
    except OSError as error:
        raise ScanError("bad_file", f"the folder {path} cannot be read ({error.strerror})") from None
    if not files:
        raise ScanError("bad_file", f"the folder {path} has no kubeconfig file")
    return files


def _of_context(choice: KubeconfigChoice, file: Path) -> FoundCluster:
    cluster = choice.cluster
    provider, region = _provider_and_region(cluster.name, cluster.text("server"))
    return FoundCluster(
        names={
            "name": choice.context.name,
            "cluster": cluster.name,
            "user": choice.user.name,
            "file": file.name.split(".")[0] or file.name,
        },
        origin=f"the context {choice.context.name!r} of {file}",
        connection={"kubeconfig": str(file), "context": choice.context.name},
        provider=provider,
        region=region,
    )


def _provider_and_region(name: str, server: str) -> tuple[str, str]:
    """What the provider's own tools write into a kubeconfig."""
    try:
        host = urlsplit(server).hostname or ""
    except ValueError:
        host = ""
    for provider, pattern, text in (
        ("aws", _EKS_NAME, name),
        ("aws", _EKS_HOST, host),
        ("azure", _AKS_HOST, host),
        ("gcp", _GKE_NAME, name),
    ):
        found = pattern.fullmatch(text)
        if found:
            return provider, found.group("region")
    return "", ""


KUBECONFIG = SourceKind(
    "kubeconfig",
    {"paths": {"type": "list", "elements": "str", "required": True}},
    ("name", "cluster", "user", "file"),
    find_clusters,
)
