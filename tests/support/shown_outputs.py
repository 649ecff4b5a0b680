# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Outputs that a page of docs/ shows: written from what a run printed, or compared with it.

In the page stands

    <!-- output: NAME -->
    ```text
    ...
    ```

With SECURESCAN_WRITE_DOCS=1 a test writes the block. Without it, the block must be what the run printed, but for what
differs from run to run: names of pods, ids, digests, times, durations, ports and folders. The page has examples of these.
"""

from __future__ import annotations

import os
import pathlib
import re
from collections.abc import Callable, Mapping

_TREE = pathlib.Path(__file__).resolve().parents[2]
# The tests run in a copy of the checkout, which is kept in its folder build/.
_IN_COPY = ("build", "collections", "ansible_collections", "securescan", "kubernetes")
DOCS = (_TREE.parents[4] if _TREE.parts[-5:] == _IN_COPY else _TREE) / "docs"

_POD_SUFFIXES = ("4dblr", "9ddm5", "k52zf", "qv6m9", "t7x2c", "w8n4p", "zq5s6", "b6v7j")
_CONSTANT: Mapping[str, str] = {
    r"\b20\d{6}t\d{6}-[0-9a-f]{6}\b": "20261123t130000-1f9a2c",
    r"\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)": "2026-11-23T13:00:00Z",
    r"\b[0-9a-f]{64}\b": "3f79bb7b435b05321651daefd374cdc681dc06faa65e374e38337b88ca046dea",
    r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b": "0b5e7c1e-5e57-4c1c-9a53-0d1f2a3b4c5d",
    r"127\.0\.0\.1:\d{1,5}": "api.example.com:6443",
    r"\b\d+(\.\d+)? (seconds|second|s) ago": "1 second ago",
    r"\babout \d+ s\b": "about 2 s",
    r"\b\d+\.\d+ s\b": "0.3 s",
    r"(?m)(target|beside|image) +\d+\.\d+$": r"\1        5.0",
}


def shown(page: str, name: str, output: str, folders: Mapping[str, str]) -> None:
    """Writes or compares the block NAME of a page. `folders`: folder of this run -> the one that the page shows."""
    path = DOCS / page
    text = path.read_text(encoding="utf-8")
    block = re.compile(
        rf"(<!-- output: {re.escape(name)} -->\n```text\n)(.*?)(^```$)", re.DOTALL | re.MULTILINE
    )
    found = block.search(text)
    assert found, f"{page} has no block for the output {name}"
    printed = constant(output, folders)
    if os.environ.get("SECURESCAN_WRITE_DOCS") == "1":
        path.write_text(block.sub(lambda match: match[1] + printed + match[3], text), encoding="utf-8")
        return
    assert _comparable(found[2]) == _comparable(printed), (
        f"run this test with SECURESCAN_WRITE_DOCS=1 to write {page} again"
    )


def _comparable(text: str) -> str:
    """A container that crashes is told by one of two states, of different length; where lines end does not count beside them."""
    words = re.sub(r"\s+", " ", text)
    told = re.sub(r"is (waiting \(CrashLoopBackOff\)|terminated \(Error\))", "crashes", words)
    return text if told == words else told


def constant(output: str, folders: Mapping[str, str]) -> str:
    """The output with examples in place of what differs from run to run."""
    text = output
    for folder, example in folders.items():
        text = text.replace(folder, example)
    for pattern, example in _CONSTANT.items():
        text = re.sub(pattern, example, text)
    text = re.sub(r"\b([a-z][a-z0-9-]*-[0-9a-f]{8,10})-([a-z0-9]{5})\b", _pod_names(), text)
    return "".join(line.rstrip() + "\n" for line in text.strip("\n").splitlines())


def _pod_names() -> Callable[[re.Match[str]], str]:
    """Gives the pods of each ReplicaSet the same suffixes each time, in the order in which they appear."""
    seen: dict[str, list[str]] = {}

    def name(match: re.Match[str]) -> str:
        suffixes = seen.setdefault(match[1], [])
        if match[2] not in suffixes:
            suffixes.append(match[2])
        return f"{match[1]}-{_POD_SUFFIXES[suffixes.index(match[2])]}"

    return name
