import pytest

from ai_cost_tracker._sse import Events


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n", b"\r\r", b"\n\r\n"])
def test_events_end_wherever_the_stream_is_cut(end):
    stream = end.join((b"data: one", b": a comment", b"event: x\ndata: two", b"data: open"))
    for size in range(1, len(stream) + 1):
        events = Events()
        seen = [event for at in range(0, len(stream), size) for event in events.push(stream[at : at + size])]
        assert b"".join([*seen, events.rest()]) == stream
        assert len(seen) == 3
