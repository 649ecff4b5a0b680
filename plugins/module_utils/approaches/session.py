# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An open shell beside or in a target, which answers one request after another: all of them are one exec.

A request is a shell script. The shell runs it in a subshell with standard input from /dev/null, so that a
request cannot eat the next one and leaves no variable, function or directory behind; then it says the
request's nonce and how it ended. The last request may end the shell itself, which spares that.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Callable

from ..cluster.open_exec import ExecPlace, OpenExec
from ..collector.collect import read_facts
from ..collector.facts import Facts
from ..collector.request import CollectionRequest
from ..collector.script import build_script
from ..collector.view import INSIDE, TargetView
from ..errors import ScanError
from ..results.evidence import Doubt

# Without a path: images may keep their shell elsewhere than in /bin, and the runtime searches the container's
# PATH.
SHELL = ("sh",)
# From a request, and whether it is the session's last, to facts.
Collecting = Callable[[CollectionRequest, bool], Facts]
_STDERR_SHOWN = 300
# containerd can lose what it has not handed on when standard input ends, and it hands on 32 KiB at a time. Standard
# input stays open behind a longer script until that is answered.
_SENT_AT_ONCE = 32 * 1024
# The exit status that a shell, and so an exec, gives for a program that a signal 9 has ended.
_KILLED = 128 + 9
_KILLED_WORDS: Mapping[str, str] = {
    "cause": "It was killed (signal 9): its container was stopped, or ran into its memory limit.",
    "advice": "Look at the container's restarts and its memory limit, then run again.",
}
# What the environment of a container may have brought (SHELLOPTS and functions of bash) must not end the
# shell or speak for it.
_PROLOGUE = rb"""set +aeuvxC
unset -f printf print
unalias -a
case ${KSH_VERSION-} in
*MIRBSD*|*LEGACY*) set +U; securescan_say() { print -r -- "$1"; } ;;
*) securescan_say() { printf '%s\n' "$1"; } ;;
esac
"""
_REQUEST = b"""(
%s
) </dev/null
securescan_say "securescan-answered %s $?"
"""
_MARK = b"securescan-answered %s "


@dataclass(frozen=True)
class Footprint:
    """What a scan leaves in the cluster until the pod is replaced: an entry in the pod's list of ephemeral
    containers.

    `is_new`: this run has added it; otherwise it was there and was used again. `still_runs`: it was told to end,
    and did not.
    """

    namespace: str
    pod: str
    ephemeral_container: str
    is_new: bool
    still_runs: bool = False


@dataclass(frozen=True)
class ShellContainer:
    """The container of a shell that is not the target's own. `container_id` and `image_id` are what its node
    reports to run."""

    name: str
    image: str
    container_id: str
    image_id: str


@dataclass(frozen=True)
class Checked:
    """A cross-check: by which approach (empty: none reached the target), how many facts both answered, and the names of
    those that differ from the image, as far as the container can have changed them."""

    approach: str
    compared: int
    drifted: tuple[str, ...]


@dataclass(frozen=True)
class Entered:
    """Where a session's shell is: by which approach, in which container, from where it sees the target, and
    what stays of it.

    `path` is the target's, for messages. `shell`: the container, where it is not the target itself.
    `is_looked_at`: the target's pod is looked at before and afterwards; else its image is what the selection
    saw. `passed_over`, `doubts` and `checked`: as of Collected.
    """

    approach: str
    place: ExecPlace
    path: str
    view: TargetView = INSIDE
    footprint: Footprint | None = None
    shell: ShellContainer | None = None
    is_looked_at: bool = True
    passed_over: tuple[tuple[str, str], ...] = ()
    doubts: tuple[Doubt, ...] = ()
    checked: Checked | None = None


@dataclass(frozen=True)
class _Answer:
    exit_code: int
    stdout: bytes
    stderr: bytes


class Session:
    """An open shell; use it in a `with` statement, or close it. Not for several threads.

    It lives as long as one target may take (ExecLimits.timeout), all requests together, and holds the
    target's place among those that are scanned at a time. Between two requests nobody answers pings, see
    OpenExec. When a request fails the session is over, unless the request itself ended: then the shell takes
    the next one.
    """

    def __init__(
        self,
        shell: OpenExec,
        entered: Entered,
        *,
        explained: Callable[[], AbstractContextManager[None]],
    ) -> None:
        """:param explained: turns a failure within it into its explanation"""
        self.entered = entered
        self._shell = shell
        self._explained = explained
        self._collecting: Collecting = self._collect
        self._ending = ExitStack()
        self._prologue = _PROLOGUE
        # of the last request, where it failed
        self._failure: ScanError | None = None

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self._end(kind, error, trace)

    def run(self, script: bytes) -> bytes:
        """What a script writes to standard output, as a whole.

        :raises ScanError: collector_failed, where it ends with another status than 0; no_such_program, where
            there is no shell; connection_lost, timed_out, cancelled, too_much_output, bad_reply; pod_gone and
            pod_replaced, where that is why
        """
        with self._noted(), self._explained():
            answer = self._ask(script)
            if answer.exit_code:
                raise _failed(answer, f"running a request in {self.entered.path}")
            return answer.stdout

    def check_shell(self) -> None:
        """Whether the shell is there and answers; raises as `run`."""
        self.run(b":")

    def collect(self, request: CollectionRequest, *, is_last: bool = False) -> Facts:
        """The facts that the collector finds for a request.

        :param is_last: the shell ends with it, as in an exec of its own
        :raises ScanError: as `run` and `read_facts`
        """
        return self._collecting(request, is_last)

    def change_collecting(self, change: Callable[[Collecting], Collecting]) -> None:
        """From now on requests are answered in another way: where the shell sees something else than the
        target, or not all that is asked for.

        :param change: given how requests are answered so far
        """
        self._collecting = change(self._collecting)

    def _collect(self, request: CollectionRequest, is_last: bool) -> Facts:
        nonce = secrets.token_hex(16)
        script = build_script(request, nonce, self.entered.view)
        with self._noted(), self._explained():
            at_once = is_last and len(script) <= _SENT_AT_ONCE
            answer = self._ask_last(script) if at_once else self._ask(script)
            tried = f"collecting facts in {self.entered.path}"
            try:
                return read_facts(request, answer.stdout, nonce, self.entered.view)
            except ScanError as error:
                if answer.exit_code == 0:
                    raise ScanError(
                        error.reason, error.message, tried=tried, cause=error.cause, advice=error.advice
                    ) from error
                raise _failed(answer, tried) from error

    def when_closed(self, ending: ExitStack) -> None:
        """What is undone after the shell has ended."""
        self._ending = ending

    def close(self) -> None:
        """Ends the shell, undoes what was done to enter, and looks at the target's pod once more, unless the last
        request failed: then that is the outcome. It may be called again.

        :raises ScanError: container_replaced, pod_gone, pod_replaced: what was collected is of no use; as the client
        """
        failure = self._failure
        self._end(type(failure) if failure else None, failure, failure.__traceback__ if failure else None)

    def _end(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._shell.has_ended:
            self._shell.end(b"exit\n")
        self._shell.abandon()
        with suppress(ScanError) if error else nullcontext():
            self._ending.__exit__(kind, error, trace)

    @contextmanager
    def _noted(self) -> Iterator[None]:
        """Remembers whether a request failed."""
        try:
            yield
            self._failure = None
        except ScanError as error:
            self._failure = error
            raise

    def _ask(self, script: bytes) -> _Answer:
        nonce = secrets.token_hex(16).encode()
        request, self._prologue = self._prologue + _REQUEST % (script, nonce), b""
        said = self._shell.ask(request, _MARK % nonce)
        if said is None:
            ended = self._ask_last(b"")
            if ended.exit_code:
                return ended
        elif said[1].isdigit() and len(said[1]) <= 3:  # the container writes it
            return _Answer(int(said[1]), said[0], self._shell.stderr)
        raise ScanError(
            "incomplete_reply",
            "the shell ended before it said how the request ended",
            tried=f"running a request in {self.entered.path}",
        )

    def _ask_last(self, script: bytes) -> _Answer:
        exit_code = self._shell.finish(script)
        return _Answer(exit_code, self._shell.stdout, self._shell.stderr)


def _failed(answer: _Answer, tried: str) -> ScanError:
    """collector_failed, with how it ended and what it complained of."""
    text = answer.stderr[:_STDERR_SHOWN].decode("utf-8", "backslashreplace").strip()
    return ScanError(
        "collector_failed",
        f"exit status {answer.exit_code}" + (f": {text!r}" if text else ""),
        tried=tried,
        **(_KILLED_WORDS if answer.exit_code == _KILLED else {}),
    )
