# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a ticket says, in the language of its tracker.

Whatever comes out of a cluster or a profile stands on one line, inside of what the tracker shows as it is: it makes no markup,
link, mention, reference or command, and no expression of a template.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..text_layout import number_of
from .ticket import Finding, Known, Ticket

_LEAST_ROOM = 500
_TITLE_SIGNS = frozenset(" ._/,():-")
_MARK = r"scan-ticket ([0-9a-f]{8}-[0-9a-f]{24}) ([0-9a-f]{16})"
# What begins an expression in template languages: Jinja, Jira's smart values, shells.
_EXPRESSIONS = re.compile(r"(?<=[{$#%])(?=[{%#])|(?<=[}%#])(?=\})")

_NO_FORMAT = re.compile(r"\{(?=noformat)", re.IGNORECASE)


@dataclass(frozen=True)
class Markup:
    """The language of a tracker's texts. `quote` makes of a text on one line what is shown as it is; `mark` is the line by which
    the ticket is found again, as a format of key and digest."""

    quote: Callable[[str], str]
    mark: str

    def known(self, ticket_id: str, body: object, is_open: bool) -> Known | None:
        """The ticket whose body is `body`; None for one of somebody else."""
        pattern = "^" + re.escape(self.mark).replace(r"\{\}", _MARK) + r"\s*$"
        found = re.findall(pattern, body, re.MULTILINE) if isinstance(body, str) else ()
        # the last line is ours, whatever stands before it
        return Known(ticket_id, found[-1][0], found[-1][1], is_open) if found else None


def plain_title(text: str) -> str:
    """A title of letters, digits and a few signs, because trackers also make references and emoji of titles."""
    return " ".join("".join(char if char.isalnum() or char in _TITLE_SIGNS else " " for char in text).split())


def _inert(text: str) -> str:
    return _EXPRESSIONS.sub(" ", text)


def _code_span(text: str) -> str:
    return "`" + _inert(text).replace("`", "'") + "`" if text else ""


def _no_format(text: str) -> str:
    """What stands at the end must not escape the brace of the closing macro, or become a part of it; a macro's name counts in any
    case of letters."""
    if not text:
        return ""
    shown = _NO_FORMAT.sub("{ ", _inert(text))
    return "{noformat}" + shown + (" " if shown.endswith(("\\", "{")) else "") + "{noformat}"


def _plain(text: str) -> str:
    # ServiceNow shows [code] as HTML
    return _inert(text).replace("[", "[ ")


MARKDOWN = Markup(_code_span, "<!-- {} -->")
JIRA = Markup(_no_format, "{}")
PLAIN = Markup(_plain, "{}")


def body_of(ticket: Ticket, markup: Markup, run_id: str, limit: int) -> str:
    """What an open ticket says, in at most `limit` characters; what is left out is said."""
    quote = markup.quote
    head = [
        f"What fails: {number_of(ticket.count, 'security control')}, the worst of severity {ticket.severity}.",
        f"About: {quote(ticket.about)}",
    ]
    if ticket.configuration_item:
        head.append(f"Configuration item: {quote(ticket.configuration_item)}")
    head += [f"Last seen by run: {quote(run_id)}", ""]
    mark = markup.mark.format(f"scan-ticket {ticket.mark}")
    room = limit - sum(len(line) + 1 for line in head) - len(mark) - _LEAST_ROOM
    lines, said = [], 0
    for finding in ticket.findings:
        block = list(_finding_lines(finding, markup))
        room -= sum(len(line) + 1 for line in block)
        if room < 0:
            break
        lines += block
        said += 1
    if said < ticket.count:
        lines.append(f"- and {ticket.count - said} more, which the reports of the run have")
    tail = ["", "This text is written anew by each scan that finds a change. Comments stay.", "", mark]
    return "\n".join([*head, *lines, *tail])


def solved_text(ticket: Ticket, markup: Markup) -> str:
    """The evidence by which a ticket is closed."""
    lines = [
        "Solved: a scan has seen everything that this ticket is about, and no control of its severities fails. Evidence:",
        "",
        *(f"- {markup.quote(one)}" for one in ticket.evidence),
    ]
    return "\n".join(lines)


def gone_text(markup: Markup, run_id: str, started: str) -> str:
    """Why a ticket about a place that is gone is closed."""
    return (
        f"Closed: run {markup.quote(run_id)}, started {markup.quote(started)}, has looked at every container of the cluster, and "
        "the place that this ticket is about is not there any more."
    )


def reopened_text(markup: Markup, run_id: str) -> str:
    """Why a closed ticket is open again."""
    return f"Opened again: run {markup.quote(run_id)} has found what this ticket is about."


def _finding_lines(finding: Finding, markup: Markup) -> Iterator[str]:
    quote = markup.quote
    yield f"- {finding.severity} {quote(finding.profile)} {quote(finding.control_id)} at {quote(finding.place)}"
    for word, text in (("title", finding.title), ("found", finding.text), ("fix", finding.fix)):
        if text:
            yield f"  - {word}: {quote(text)}"
