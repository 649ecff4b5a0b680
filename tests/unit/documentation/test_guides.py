# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the guides name is there: pages, files, tests and codes of errors; and every page stands in the index."""

from __future__ import annotations

import pathlib
import re

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import KINDS

ROOT = pathlib.Path(__file__).resolve().parents[3]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))


def named(page: pathlib.Path, pattern: str) -> list[str]:
    return re.findall(pattern, page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in named(page, r"\]\(([^)#]+?)(?:#[^)]*)?\)"):
        assert target.startswith("https://") or (page.parent / target).exists(), target


def test_every_page_is_in_the_index():
    linked = {(DOCS / target).resolve() for target in named(DOCS / "README.md", r"\]\(([^)#]+)")}
    assert set(PAGES) - linked == {DOCS / "README.md"}


def test_the_files_that_a_change_touches_are_there():
    paths = set(
        named(DOCS / "contributing.md", r"`((?:plugins|profiles|tests|docs|meta|changelogs)/[^` ]+)`")
    )
    assert len(paths) >= 30
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []


def test_users_read_allowed_and_cannot_where_may_not_has_two_meanings():
    """Rules 2 and 4 of docs/contributing.md, which quotes the bad lines."""
    texts = list(PAGES)
    texts += [path for folder in ("roles", "playbooks") for path in (ROOT / folder).rglob("*.yml")]
    for folder in ("modules", "doc_fragments", "callback", "filter"):
        texts += [path for path in (ROOT / "plugins" / folder).iterdir() if path.is_file()]
    for path in {ROOT / "README.md", *texts} - {DOCS / "contributing.md"}:
        assert not re.findall(r".*\bmay not\b.*|.*\bso many\b.*", path.read_text(encoding="utf-8")), path


def test_the_tests_that_show_a_claim_are_there():
    tests = named(DOCS / "evidence" / "claims.md", r"`(tests/[^` ]+\.py)::(\w+)`")
    assert len(tests) >= 30 and len(set(tests)) == len(tests)
    for path, name in tests:
        assert re.search(rf"^def {name}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE), (
            path,
            name,
        )


def test_every_code_is_explained_and_every_code_that_is_named_exists():
    known = {kind.code for kind in KINDS.values()}
    assert set(named(DOCS / "errors.md", r"^\| `(SCAN-\d+)`".replace("^", "(?m)^"))) == known
    for page in [ROOT / "README.md", *PAGES]:
        assert set(named(page, r"SCAN-\d{3}")) <= known, page
