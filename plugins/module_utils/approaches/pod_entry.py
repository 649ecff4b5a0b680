# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all approaches share that enter a pod: is the target there, is it still the same pod, what does the
reply say."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Callable, TypeVar

from ..access.scanner import NamespaceScanner, ScannerAccess
from ..cluster.open_exec import ExecPlace, open_exec
from ..collector.request import CollectionRequest
from ..collector.view import TargetView
from ..errors import ScanError
from ..network.deadline import Deadline
from ..targets.identity import Target
from ..targets.selection import SelectedTarget
from .approach import Collected, collected_in
from .beside_target import view_from_inside
from .looks import Looks, read_same_pod, shell_container
from .session import SHELL, Entered, Footprint, Session

Result = TypeVar("Result")
# What it looks like from outside when a pod is deleted while its container is entered.
_PERHAPS_GONE = frozenset(
    {"connection_lost", "collector_failed", "incomplete_reply", "exec_failed", "container_not_running"}
)


@dataclass(frozen=True)
class ExecLimits:
    """`timeout` in seconds for one target, `output` in bytes of its reply."""

    timeout: float
    output: int


@dataclass(frozen=True)
class Means:
    """What every approach works with.

    `targets` are all of the run. One of `slots` is held while an exec is open: the API server exempts exec
    from its own flow control, so only this protects it, and the nodes, from a scan."""

    access: ScannerAccess
    slots: threading.BoundedSemaphore
    limits: ExecLimits
    cancel: threading.Event
    targets: Sequence[SelectedTarget] = ()
    _thread: threading.local = field(default_factory=threading.local, repr=False)

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place among those that are worked on at a time.

        A thread that has one gets no other, for which it could wait for ever: with a session open on a
        target, it looks at the target's image, too."""
        if getattr(self._thread, "has_place", False):
            yield
            return
        with self.slots:
            self._thread.has_place = True
            try:
                yield
            finally:
                self._thread.has_place = False


class EnteringApproach:
    """What all approaches share: their means, an account of what they did, and that each enters a container
    once for a target.

    An approach says in `_reach` how the container is found; `enter` and `collect` stand on it.
    """

    name = ""

    def __init__(self, means: Means) -> None:
        self._access = means.access
        self._place = means.place
        self._limits = means.limits
        self._cancel = means.cancel
        self._lock = threading.Lock()
        self.execs = 0
        self.added: list[Footprint] = []
        self.not_ended: list[Footprint] = []

    def enter(self, selected: SelectedTarget) -> Session:
        """An open session on one target, whose shell has answered; see Approach."""
        with ExitStack() as ending:
            session, _nothing = ending.enter_context(self._reach(selected, Session.check_shell))
            session.when_closed(ending.pop_all())
            return session

    def collect(self, selected: SelectedTarget, request: CollectionRequest) -> Collected:
        """The facts of one target, by a session of one request; see Approach."""
        with self._reach(selected, lambda entered: entered.collect(request, is_last=True)) as (
            session,
            facts,
        ):
            pass
        # only now it is known what became of what was added to enter
        return collected_in(session, facts)

    def close(self) -> None:
        """Ends what serves several targets; here nothing does."""

    def _reach(
        self, selected: SelectedTarget, first: Callable[[Session], Result]
    ) -> AbstractContextManager[tuple[Session, Result]]:
        """A session on the target, and what `first` got from it: only the first request shows whether there
        is a shell.

        :raises ScanError: as `first`; why the target cannot be entered
        """
        raise NotImplementedError

    def _open_session(
        self,
        scanner: NamespaceScanner,
        entered: Entered,
        *,
        explained: Callable[[], AbstractContextManager[None]] = nullcontext,
        timeout: float | None = None,
    ) -> Session:
        """Starts the shell.

        :param explained: as of Session
        :param timeout: seconds for the session, instead of those of the limits
        :raises ScanError: as open_exec
        """
        self._count_exec()
        deadline = Deadline(
            self._limits.timeout if timeout is None else timeout,
            self._cancel,
            f"exec into {entered.place.path}",
        )
        with explained():
            shell = open_exec(
                scanner.connection, entered.place, deadline=deadline, output_limit=self._limits.output
            )
        return Session(shell, entered, explained=explained)

    def _count_exec(self) -> None:
        with self._lock:
            self.execs += 1


class PresentShellApproach(EnteringApproach):
    """An approach that enters a container which is there already, and adds nothing to any pod."""

    @contextmanager
    def _reach(
        self, selected: SelectedTarget, first: Callable[[Session], Result]
    ) -> Iterator[tuple[Session, Result]]:
        target = selected.target
        check_state(selected, self.name)
        self._check_selected(selected)
        scanner = self._access.for_target(target, self.name)

        looks = Looks(
            scanner,
            target,
            Deadline(self._limits.timeout, self._cancel, f"scanning {target.path} by {self.name}"),
        )

        def open_session() -> Session:
            container, view = self._find_shell(looks.before(), target)
            return self._open_session(
                scanner,
                Entered(
                    self.name,
                    shell_place(target, container),
                    target.path,
                    view,
                    shell=None if container == target.container else shell_container(looks.pod, container),
                ),
                explained=lambda: explained_by_absence(scanner, target),
            )

        with self._place():
            with retry_while_rbac_spreads(self._access, target, open_session) as session:
                yield session, first(session)
            self._check_shell_container(looks.after(session.entered.shell), session.entered)

    def _check_selected(self, selected: SelectedTarget) -> None:
        """Whether the target can be reached, by what selection saw, which costs no request.

        :raises ScanError: why it cannot
        """

    def _find_shell(self, pod: Mapping[str, Any], target: Target) -> tuple[str, TargetView]:
        """The container to enter, of the pod as it is now, and how the target is seen from there.

        :raises ScanError: why there is none
        """
        return target.container, view_from_inside(pod, target)

    def _check_shell_container(self, pod: Mapping[str, Any], entered: Entered) -> None:
        """Whether the container that was entered is still what it has to be, by the pod as it is afterwards.

        :raises ScanError: why not
        """


def shell_place(target: Target, container: str) -> ExecPlace:
    """A shell in a container of the target's pod."""
    return ExecPlace(target.namespace, target.pod, container, SHELL)


def check_platform(selected: SelectedTarget, approach: str) -> None:
    """:raises ScanError: bad_reply, where the API server showed no whole pod; platform_unsupported"""
    if selected.flaw:
        raise ScanError(
            "bad_reply",
            f"the pod is not as Kubernetes makes it: {selected.flaw}",
            tried=f"scanning {selected.target.path} by {approach}",
        )
    if selected.operating_system != "linux":
        raise ScanError(
            "platform_unsupported",
            f"the pod runs on {selected.operating_system}",
            tried=f"scanning {selected.target.path} by {approach}",
        )


def check_state(selected: SelectedTarget, approach: str) -> None:
    """:raises ScanError: platform_unsupported, container_not_running"""
    check_platform(selected, approach)
    target = selected.target
    tried = f"scanning {target.path} by {approach}"
    if target.state != "running":
        reason = f" ({target.state_reason})" if target.state_reason else ""
        raise ScanError("container_not_running", f"the container is {target.state}{reason}", tried=tried)


def retry_while_rbac_spreads(access: ScannerAccess, target: Target, work: Callable[[], Result]) -> Result:
    """What `work` returns, tried once more where RBAC has refused what the access holds: an API server that
    has just restarted answers before it knows its Roles.

    :raises ScanError: as `work`; not_permitted, where the scanner is not let in within seconds
    """
    try:
        return work()
    except ScanError as error:
        if error.reason != "not_permitted" or not error.cause.startswith("RBAC "):
            raise
        access.wait_for_rbac(target.namespace)
        return work()


@contextmanager
def explained_by_absence(scanner: NamespaceScanner, target: Target) -> Iterator[None]:
    """Turns a failure within it into pod_gone or pod_replaced, where that explains it."""
    try:
        yield
    except ScanError as failure:
        if failure.reason in _PERHAPS_GONE:
            try:
                read_same_pod(scanner, target)
            except ScanError as error:
                if error.reason in ("pod_gone", "pod_replaced"):
                    raise error from failure
        raise
