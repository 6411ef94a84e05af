import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatling_beam.hub.lines import range_lines, stream_lines

LINES = st.lists(
    st.one_of(
        st.just(b""),
        st.just(b" \t"),
        st.just("é\u2028 \x85".encode()),
        st.text(alphabet='ab"é𝄞\u2028', max_size=40).map(str.encode),
        st.integers(1, 300).map(lambda n: b"x" * n),
    ),
    max_size=30,
)


def joined(lines: list[bytes], ends: list[bytes], closed: bool) -> bytes:
    text = b"".join(line + ends[i % len(ends)] for i, line in enumerate(lines))
    return text if closed or not lines else text[: -len(ends[(len(lines) - 1) % len(ends)])]


def expected(text: bytes) -> list[tuple[int, bytes]]:
    """The definition, in the plainest words."""
    rows, at = [], 0
    for raw in text.split(b"\n"):
        line = raw[:-1] if raw.endswith(b"\r") else raw
        if line.strip():
            rows.append((at, line))
        at += len(raw) + 1
    return rows


@given(
    lines=LINES,
    ends=st.lists(st.sampled_from([b"\n", b"\r\n"]), min_size=1, max_size=3),
    closed=st.booleans(),
    unit=st.integers(1, 120),
    block=st.one_of(st.none(), st.integers(1, 50)),
)
def test_any_cut_gives_every_line_once(
    lines: list[bytes], ends: list[bytes], closed: bool, unit: int, block: int | None
) -> None:
    text = joined(lines, ends, closed)
    reads: list[tuple[int, int]] = []

    def read(start: int, stop: int) -> bytes:
        assert 0 <= start < stop <= len(text)
        reads.append((start, stop))
        return text[start:stop]

    got = []
    for start in range(0, len(text), unit):
        stop = min(start + unit, len(text))
        part = list(range_lines(read, len(text), start, stop, block=block))
        assert all(start <= offset < stop for offset, _ in part)
        got += part
    assert got == expected(text)
    assert list(stream_lines(io.BytesIO(text))) == expected(text)


@given(lines=LINES, unit=st.integers(1, 120))
def test_peek_shows_the_next_line_after_the_last_one(lines: list[bytes], unit: int) -> None:
    text = joined(lines, [b"\n"], True)
    rows = expected(text)
    for start in range(0, len(text), unit):
        stop = min(start + unit, len(text))
        inside = [row for row in rows if start <= row[0] < stop]
        beyond = [row for row in rows if row[0] >= stop][:1]
        got = list(range_lines(lambda a, b: text[a:b], len(text), start, stop, peek=True))
        assert got == inside + beyond or (not inside and got == [])


def test_a_range_reads_no_more_than_it_needs() -> None:
    text = (b"x" * 99 + b"\n") * 1000
    reads: list[tuple[int, int]] = []

    def read(start: int, stop: int) -> bytes:
        reads.append((start, stop))
        return text[start:stop]

    assert len(list(range_lines(read, len(text), 20_000, 40_000))) == 200
    assert reads == [(19_999, 40_000)]


def test_the_first_rows_of_a_large_file_need_its_first_bytes_only() -> None:
    text = (b"x" * 99 + b"\n") * 1000
    reads: list[tuple[int, int]] = []

    def read(start: int, stop: int) -> bytes:
        reads.append((start, stop))
        return text[start:stop]

    rows = range_lines(read, len(text), 0, len(text), block=1000)
    assert [next(rows)[0] for _ in range(15)] == list(range(0, 1500, 100))
    assert reads == [(0, 1000), (1000, 3000)]


@pytest.mark.parametrize("text", [b"", b"\n", b"\r\n \n\n"])
def test_nothing_but_blank_lines(text: bytes) -> None:
    assert list(range_lines(lambda a, b: text[a:b], len(text), 0, len(text))) == []


def test_a_byte_order_mark_is_no_part_of_the_first_line() -> None:
    text = b'\xef\xbb\xbf{"a":1}\n{"a":2}'
    assert list(range_lines(lambda a, b: text[a:b], len(text), 0, len(text))) == [(0, b'{"a":1}'), (11, b'{"a":2}')]
