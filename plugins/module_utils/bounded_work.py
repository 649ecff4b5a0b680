# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work on many items, a bounded number at a time, in threads; it ends when it is cancelled."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from queue import Empty, SimpleQueue
from typing import Any, Callable, Optional, TypeVar

from .errors import ScanError

# Seconds.
_PROGRESS_INTERVAL = 1.0
Work = TypeVar("Work")
# The item, its result, and what was raised instead of one.
_Done = tuple[Work, Any, Optional[BaseException]]


def run_bounded(
    items: Iterable[Work],
    work: Callable[[Work], Any],
    concurrency: int,
    cancel: threading.Event,
    on_progress: Callable[[int], None],
) -> Iterator[tuple[Work, Any]]:
    """Does `work` on the items, at most `concurrency` at a time, and yields (item, result) in the order of
    finishing.

    When the caller stops, `cancel` is set. When `cancel` is set, no new item is begun, and those in work are
    waited for: they end at once, because everything that they wait on looks at `cancel`.

    :param on_progress: called about once a second with the number of items done
    :raises ScanError: cancelled; and what `work` raises
    """
    waiting: SimpleQueue[tuple[Work] | None] = SimpleQueue()
    finished: SimpleQueue[_Done[Work]] = SimpleQueue()
    threads: list[threading.Thread] = []
    begun, done, shown_at, is_over = 0, 0, time.monotonic(), False

    def drain(most: int) -> Iterator[tuple[Work, Any]]:
        """Yields what finishes until at most so many items are begun and not done."""
        nonlocal done, shown_at
        while begun - done > most:
            for pair in _next_finished(finished):
                done += 1
                yield pair
            shown_at = _show(on_progress, done, shown_at)
            _check(cancel)

    try:
        for item in items:
            if len(threads) < concurrency:
                threads.append(
                    threading.Thread(target=_work_off, args=(work, waiting, finished, cancel), name="scan")
                )
                threads[-1].start()
            waiting.put((item,))
            begun += 1
            # a few wait in line, so that no thread idles; not all, so that memory does not grow with the
            # fleet
            yield from drain(2 * concurrency - 1)
        yield from drain(0)
        is_over = True
    finally:
        if not is_over:
            cancel.set()
            _empty(waiting)
        for _thread in threads:
            waiting.put(None)
        for thread in threads:
            thread.join()


def _work_off(
    work: Callable[[Work], Any],
    waiting: SimpleQueue[tuple[Work] | None],
    finished: SimpleQueue[_Done[Work]],
    cancel: threading.Event,
) -> None:
    while True:
        taken = waiting.get()
        if taken is None:
            return
        try:
            _check(cancel)
            finished.put((taken[0], work(taken[0]), None))
        except BaseException as error:  # noqa: BLE001 - raised again where the result is taken
            finished.put((taken[0], None, error))


def _next_finished(finished: SimpleQueue[_Done[Work]]) -> Iterator[tuple[Work, Any]]:
    """The next result, or nothing where none comes within the progress interval."""
    try:
        item, result, error = finished.get(timeout=_PROGRESS_INTERVAL)
    except Empty:
        return
    if error is not None:
        raise error
    yield item, result


def _check(cancel: threading.Event) -> None:
    if cancel.is_set():
        raise ScanError("cancelled", "cancelled while it was under way", tried="working on many items")


def _empty(waiting: SimpleQueue[Any]) -> None:
    try:
        while True:
            waiting.get_nowait()
    except Empty:
        return


def _show(on_progress: Callable[[int], None], done: int, shown_at: float) -> float:
    """Shows the progress where the last time was long enough ago; when it was shown last."""
    now = time.monotonic()
    if now - shown_at < _PROGRESS_INTERVAL:
        return shown_at
    on_progress(done)
    return now
