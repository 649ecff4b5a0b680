# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The image of the container as its spec names it: image."""

from __future__ import annotations

from typing import Any, Callable

from ..evidence import Absent, NotKnownError
from ..pod_spec import parse_image
from ..resource import Attribute, Resource, View, attributes_by_name
from ..value_types import BOOLEAN, TEXT
from .container import container_spec


def _reference(view: View) -> str:
    reference = container_spec(view).spec.get("image")
    if not reference:
        raise NotKnownError("the container's image", "its spec names none")
    return str(reference)


def _part(name: str) -> Callable[[View], Any]:
    return lambda view: parse_image(_reference(view))[name] or Absent("the reference has none")


def _version(view: View) -> str:
    image = parse_image(_reference(view))
    return image["digest"] or image["tag"] or "latest"


def _running_digest(view: View) -> Any:
    return view.evidence.context.target.get("image_digest") or Absent("the node reports none")


RESOURCES = (
    Resource(
        "image",
        "The image that the container's spec names.",
        lambda _params: "Image",
        lambda _params: "in the container's spec",
        attributes_by_name(
            Attribute("reference", TEXT, "The whole reference.", _reference),
            Attribute("registry", TEXT, "Host of the registry.", _part("registry")),
            Attribute("repository", TEXT, "Path within the registry.", _part("repository")),
            Attribute("tag", TEXT, "Tag.", _part("tag")),
            Attribute("digest", TEXT, "Digest in the reference, sha256:...", _part("digest")),
            Attribute(
                "version",
                TEXT,
                "What says which image it is: the digest, or else the tag, or else latest, which "
                "the node takes then.",
                _version,
            ),
            Attribute(
                "running_digest",
                TEXT,
                "Digest of the image that runs, as the node reports it.",
                _running_digest,
            ),
            Attribute(
                "pinned",
                BOOLEAN,
                "The reference names a digest, so it cannot change.",
                lambda view: bool(parse_image(_reference(view))["digest"]),
            ),
            Attribute(
                "pull_policy",
                TEXT,
                "Always, IfNotPresent or Never.",
                lambda view: container_spec(view).image_pull_policy,
            ),
        ),
    ),
)
