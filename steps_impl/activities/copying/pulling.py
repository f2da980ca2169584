"""What pushes becomes what is pulled: the pushing runs in a thread of its own, a few pieces ahead."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

#: Pieces that may wait.
_AHEAD = 4
#: Seconds between two looks of the pushing thread whether anybody still pulls.
_LOOK = 0.2


class _Left(Exception):
    """Nobody pulls any more."""


def pulled(push: Callable[[Callable[[T], None]], None], name: str) -> Generator[T]:
    """Yield what ``push`` hands to the function that it is given; raise what it raises.

    When the iterator is closed early, the next hand-over raises inside ``push``, and the thread is waited for.
    """
    pipe: _Pipe[T] = _Pipe()
    thread = threading.Thread(target=pipe.run, args=(push,), name=name, daemon=True)
    thread.start()
    try:
        yield from pipe.pieces()
    finally:
        pipe.left.set()
        thread.join()


class _Pipe(Generic[T]):
    """Pieces on their way from the pushing thread; the last item says that there are no more, and why."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[tuple[T] | _End] = queue.Queue(_AHEAD)
        self.left = threading.Event()

    def run(self, push: Callable[[Callable[[T], None]], None]) -> None:
        """Push everything; never raises."""
        try:
            push(lambda piece: self._put((piece,)))
            end = _End(None)
        except BaseException as error:  # it is raised where the pieces are used
            end = _End(error)
        with suppress(_Left):
            self._put(end)

    def pieces(self) -> Iterator[T]:
        """Yield the pieces."""
        while not isinstance(item := self._waiting.get(), _End):
            yield item[0]
        if item.error is not None:
            raise item.error

    def _put(self, item: tuple[T] | _End) -> None:
        while not self.left.is_set():
            with suppress(queue.Full):
                self._waiting.put(item, timeout=_LOOK)
                return
        raise _Left


@dataclass(frozen=True)
class _End:
    error: BaseException | None
