"""Stands in for `lms`: a story of log events told over and over, at a rate that costs this process next to nothing.

`replay.py FOLDER STORY RATE EPOCH log stream … -s SOURCE` prints the lines of FOLDER/SOURCE, dated when they are sent.
A line begins with its place in the story, of STORY events, of which RATE come in a second; streams with one EPOCH (Unix
seconds) keep step however late each begins.
"""

import sys
import threading
import time
from bisect import bisect_left
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from lmdeck.demo.log_shapes import Event, line

SOURCES = ("model", "server", "runtime")
_TICK_S = 0.01
_PLACE, _DATE = 8, len(b'{"timestamp":1790000000000')


def write_story(folder: Path, story: Iterable[Event]) -> None:
    """The files that are replayed."""
    with ExitStack() as files:
        out = {source: files.enter_context(Path(folder, source).open("wb")) for source in SOURCES}
        for place, event in enumerate(story):
            out[event.source].write(b"%0*d%b" % (_PLACE, place, line(event, 1_790_000_000_000)))


def main() -> None:
    """Tell the story, for ever."""
    folder, story, rate, epoch, *arguments = sys.argv[1:]
    if arguments[:2] != ["log", "stream"]:
        print("[]")
        return
    lines = Path(folder, arguments[arguments.index("-s") + 1]).read_bytes().splitlines(keepends=True)
    places = [int(each[:_PLACE]) for each in lines]
    texts = [each[_PLACE + _DATE :] for each in lines]

    def due() -> int:
        rounds, place = divmod(int((time.time() - float(epoch)) * float(rate)), int(story))
        return rounds * len(lines) + bisect_left(places, place)

    sent = due()
    while lines:
        last, date = due(), b'{"timestamp":%d' % (time.time() * 1000)
        sys.stdout.buffer.write(b"".join(date + texts[number % len(texts)] for number in range(sent, last)))
        sys.stdout.buffer.flush()
        sent = last
        time.sleep(_TICK_S)
    threading.Event().wait()


if __name__ == "__main__":
    main()
