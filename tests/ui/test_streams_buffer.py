"""StreamBuffers: bounded, and every reader gets the text in order."""

from hypothesis import given
from hypothesis import strategies as st

from orchestra_tui.domain.ports import Delta
from orchestra_tui.widgets.streams import StreamBuffers

PIECES = st.lists(st.text(min_size=1, max_size=12), max_size=30)


def feed(streams: StreamBuffers, pieces: list[str], key: str = "c1") -> None:
    offset = 0
    for piece in pieces:
        streams.feed(Delta(stream=key, offset=offset, text=piece))
        offset += len(piece)


@given(PIECES, st.lists(st.integers(min_value=1, max_value=5), max_size=12))
def test_a_reader_at_any_pace_sees_the_whole_text(pieces: list[str], pace: list[int]) -> None:
    """Reading between feeds loses and repeats nothing."""
    streams, place, seen, offset = StreamBuffers(), 0, "", 0
    reads = {sum(pace[: i + 1]) for i in range(len(pace))}
    for number, piece in enumerate(pieces):
        streams.feed(Delta(stream="c1", offset=offset, text=piece))
        offset += len(piece)
        if number in reads:
            got = streams.since("c1", place)
            assert not got.is_restart
            seen, place = seen + got.text, got.end
    seen += streams.since("c1", place).text
    assert seen == "".join(pieces)
    assert streams.tail("c1") == seen


@given(PIECES, st.integers(min_value=1, max_value=40))
def test_memory_is_bounded_and_the_newest_text_stays(pieces: list[str], limit: int) -> None:
    """The buffer keeps at most its limit, always the end of the text."""
    streams = StreamBuffers(max_characters=limit)
    feed(streams, pieces)
    kept = streams.tail("c1")
    assert len(kept) <= limit
    assert "".join(pieces).endswith(kept)
    if pieces:
        assert kept.endswith(pieces[-1][-limit:])


def test_a_reader_that_fell_behind_starts_anew() -> None:
    """What left the buffer is not pretended: the pane is told to begin again."""
    streams = StreamBuffers(max_characters=6)
    feed(streams, ["abc"])
    place = streams.since("c1", 0).end
    streams.feed(Delta(stream="c1", offset=3, text="defghijkl"))
    got = streams.since("c1", place)
    assert got.is_restart
    assert got.text == "ghijkl"
    assert streams.since("c1", got.end).text == ""


def test_offset_zero_starts_the_stream_again() -> None:
    """A retried call streams from its beginning; the old text goes."""
    streams = StreamBuffers()
    feed(streams, ["half of an ans"])
    place = streams.since("c1", 0).end
    streams.feed(Delta(stream="c1", offset=0, text="the answer"))
    got = streams.since("c1", place)
    assert got.is_restart
    assert got.text == "the answer"
    assert streams.tail("c1") == "the answer"


def test_a_gap_is_said() -> None:
    """Dropped pieces leave a mark with their number of characters."""
    streams = StreamBuffers()
    streams.feed(Delta(stream="c1", offset=0, text="begin "))
    streams.feed(Delta(stream="c1", offset=106, text=" end"))
    assert streams.tail("c1") == "begin \n[100 characters not shown]\n end"


def test_repeated_text_is_shown_once() -> None:
    """After subscribing again a piece may come twice, wholly or in part."""
    streams = StreamBuffers()
    feed(streams, ["abcdef"])
    streams.feed(Delta(stream="c1", offset=3, text="def"))
    streams.feed(Delta(stream="c1", offset=4, text="efgh"))
    assert streams.tail("c1") == "abcdefgh"


def test_the_number_of_streams_is_bounded() -> None:
    """The oldest stream goes when there are too many."""
    streams = StreamBuffers(max_streams=3)
    for number in range(5):
        feed(streams, ["x"], key=f"c{number}")
    assert [streams.tail(f"c{number}") for number in range(5)] == ["", "", "x", "x", "x"]
