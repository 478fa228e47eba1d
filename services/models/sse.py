"""Server-sent events, as the HTML standard has them: bytes in, events out. No I/O."""

import codecs
import re
from typing import Final

LINE_END: Final = re.compile(r"\r\n|\r|\n")
"""https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation"""


class EventParser:
    """Takes a stream in chunks that were cut anywhere, and gives each event's data.

    Names and ids of events are left out: the providers say all of it in the
    data. An event that the end of the stream cut is none.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")(errors="replace")
        self._pieces: list[str] = []
        """Pieces of the line that is being received."""
        self._after_return = False
        """Whether a line ended with a carriage return, whose line feed may still come."""
        self._data: list[str] = []
        """Data lines of the event that is being received."""

    def feed(self, chunk: bytes) -> list[str]:
        """Data of the events that this chunk completes."""
        text = self._decoder.decode(chunk)
        if not text:
            return []
        if self._after_return:
            text = text.removeprefix("\n")
        self._after_return = text.endswith("\r")
        found = []
        *lines, rest = LINE_END.split(text)
        for line in lines:
            whole = "".join([*self._pieces, line])
            self._pieces.clear()
            if (event := self._take(whole)) is not None:
                found.append(event)
        if rest:
            self._pieces.append(rest)
        return found

    def _take(self, line: str) -> str | None:
        """Read one line; the data of the event that it ends, if it ends one."""
        if line:
            name, _, value = line.partition(":")
            if name == "data":
                self._data.append(value.removeprefix(" "))
            return None
        data, self._data = self._data, []
        return "\n".join(data) if data else None
