"""Lines of a file of which only a range of bytes is asked for: a line belongs to the range it starts in."""

from collections.abc import Callable, Iterator
from typing import BinaryIO

#: How much is read past the end of a range at first, where its last line goes on; doubled each time.
_MORE_BYTES = 64 << 10
_MAX_BLOCK_BYTES = 16 << 20
_BOM = b"\xef\xbb\xbf"


def range_lines(
    read: Callable[[int, int], bytes], size: int, start: int, stop: int, *, block: int | None = None, peek: bool = False
) -> Iterator[tuple[int, bytes]]:
    """`(byte offset, line)` of every line that starts in [start, stop) and is not blank, in order.

    `read(a, b)` gives bytes [a, b) of the file of `size` bytes. Lines end with LF or CR LF, which are not part of
    them. `block` is the number of bytes of the first read, which doubles; None reads the whole range
    at once. With `peek`, the next line past `stop` follows, if any.
    """
    # From one byte before the start: if that byte ends a line, the first line of the range starts right at `start`.
    at = max(start - 1, 0)
    buffer = b""
    in_line = start > 0  # inside a line of the range before
    fetched = at
    while True:
        end = buffer.find(b"\n")
        if end < 0 and fetched < size:
            if in_line and fetched >= stop:
                return  # one line covers the whole range
            if fetched < stop:
                more = stop - fetched if block is None else min(block, stop - fetched)
                block = block and min(2 * block, _MAX_BLOCK_BYTES)
            else:
                more = max(_MORE_BYTES, min(len(buffer), _MAX_BLOCK_BYTES))
            upto = min(fetched + more, size)
            buffer += read(fetched, upto)
            fetched = upto
            continue
        # One pass over all whole lines of the buffer.
        lines = buffer.split(b"\n")
        last = fetched == size
        rest = lines.pop() if not last else b""
        for raw in lines:
            offset, at = at, at + len(raw) + 1
            if in_line:
                in_line = False
                continue
            if offset >= stop and not peek:
                return
            line = clean_line(raw, offset)
            if line:
                yield offset, line
                if offset >= stop:
                    return
        if last or (at >= stop and not peek):
            return
        buffer = rest


def stream_lines(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """`(byte offset, line)` of every line of `stream` that is not blank, as in `range_lines`."""
    at = 0
    for raw in stream:
        line = clean_line(raw.removesuffix(b"\n"), at)
        if line:
            yield at, line
        at += len(raw)


def clean_line(raw: bytes, offset: int) -> bytes:
    """`raw`, which ended at a LF, without CR and, at the start of a file, without byte order mark; b"" if blank."""
    line = raw.removesuffix(b"\r")
    if offset == 0:
        line = line.removeprefix(_BOM)
    return line if line.strip() else b""
