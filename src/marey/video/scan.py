"""When a file's frames are shown: exact times from its packets, without decoding.

Conventions: ticks are whole multiples of the stream's `time_base`, as in the container; frames are in the
order in which they are shown. A packet that the container says not to show (an edit list) is not a frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream
from jaxtyping import Int64

JUMP_S = 1.0
"""Decoding times that fall back further than this are a new beginning, not jitter (our choice)."""
SHORT_S = 0.5
"""How much earlier than its header says a file may end (sound and picture rarely end together)."""
ASSUMED_HZ = 25
"""Rate of a stream that has neither times nor a rate (raw H.264 says nothing): FFmpeg's own assumption."""


@dataclass(frozen=True, slots=True)
class Scan:
    """What the packets promise.

    `pts` are the shown frames' times in ticks, never falling; `keys` the times of the frames where decoding
    may begin, rising. `counted` says that frames can be told by their place only, not by their time: the
    container has no presentation times, or they begin anew on the way. `end` is when the last frame stops
    being shown. `problem` is one line, empty for a sound file.
    """

    pts: Int64[np.ndarray, " T"]
    keys: Int64[np.ndarray, " K"]
    time_base: Fraction
    end: int
    counted: bool
    problem: str


@dataclass(frozen=True, slots=True)
class _Packet:
    pts: int | None
    dts: int | None
    ticks: int
    key: bool


def scan(container: InputContainer, stream: VideoStream) -> Scan:
    """Read every packet of an opened file once; a file that breaks off is read as far as it goes."""
    packets, shown_end_s, broke = _packets(container, stream)
    time_base = stream.time_base or Fraction(1, 1000)
    usual = _usual_ticks(packets, stream, time_base)
    packets, joined = _joined(packets, round(JUMP_S / time_base), usual)
    # AVI stores decoding times only; where pictures are reordered, FFmpeg's presentation times are guesses.
    guessed = container.format.name == "avi" and stream.codec_context.has_b_frames
    order = sorted((p.pts, p.ticks) for p in packets if p.pts is not None)
    timed = not guessed and len(order) == len(packets)
    if timed:
        pts, last = np.array([at for at, _ in order], np.int64), order[-1][1] if order else 0
    else:
        pts, last = _counted_times(packets, usual), 0
    keys = sorted(p.pts for p in packets if p.key and p.pts is not None)
    problem = broke or _shortfall(container, stream, len(packets), shown_end_s)
    return Scan(
        pts,
        np.array(keys, np.int64),
        time_base,
        int(pts[-1]) + (last or usual) if len(pts) else 0,
        joined or not timed,
        problem or ("its time stamps begin anew on the way; the parts are joined" if joined else ""),
    )


def torn(container: InputContainer, packet: av.Packet) -> bool:
    """Whether a packet is the stump of one that the file's end cut off.

    Transport streams mark packets after any loss; those are for the decoder to mend.
    """
    return packet.is_corrupt and container.format.name != "mpegts"


def _packets(container: InputContainer, stream: VideoStream) -> tuple[list[_Packet], float, str]:
    """The stream's packets that will be shown, in file order; the end of all streams; what went wrong."""
    found, end_s = [], 0.0
    hidden = stream.codec_context.name == "vp8"
    try:
        for packet in container.demux():
            if packet.size == 0 or packet.time_base is None:
                continue
            if packet.pts is not None:
                end_s = max(end_s, float((packet.pts + (packet.duration or 0)) * packet.time_base))
            if packet.stream_index != stream.index or packet.is_discard or torn(container, packet):
                continue
            if hidden and not memoryview(packet)[0] & 0x10:
                continue  # a VP8 frame kept for reference only: RFC 6386, section 9.1, show_frame
            found.append(_Packet(packet.pts, packet.dts, packet.duration or 0, packet.is_keyframe))
    except FFmpegError as error:
        return found, end_s, f"it breaks off after {end_s:.2f} s ({error.strerror})"
    return found, end_s, ""


def _usual_ticks(packets: Sequence[_Packet], stream: VideoStream, time_base: Fraction) -> int:
    """How long a frame of this stream lasts, by its times, its packets or its rate, whichever is known."""
    times = np.array(sorted(p.pts for p in packets if p.pts is not None), np.int64)
    steps = np.diff(times)
    if (steps > 0).any():
        return int(np.median(steps[steps > 0]))
    rate = stream.average_rate or stream.guessed_rate or ASSUMED_HZ
    stated = [p.ticks for p in packets if p.ticks > 0]
    return stated[0] if stated else max(1, round(1 / (rate * time_base)))


def _joined(packets: list[_Packet], jump: int, usual: int) -> tuple[list[_Packet], bool]:
    """Move parts whose clock was set back (joined transport streams) behind the part before them."""
    out: list[_Packet] = []
    shift, decoded, shown = 0, None, None
    for p in packets:
        start = p.pts if p.pts is not None else p.dts
        if p.dts is not None and start is not None:
            if decoded is not None and shown is not None and p.dts + shift < decoded - jump:
                shift = shown + usual - start
            decoded = p.dts + shift if decoded is None else max(decoded, p.dts + shift)
            shown = start + shift if shown is None else max(shown, start + shift)
        pts, dts = (None if t is None else t + shift for t in (p.pts, p.dts))
        out.append(replace(p, pts=pts, dts=dts) if shift else p)
    return out, shift != 0


def _counted_times(packets: Sequence[_Packet], usual: int) -> Int64[np.ndarray, " T"]:
    """Times of frames without presentation times: the decoding times in order, or the rate's."""
    stored = sorted(p.dts for p in packets if p.dts is not None)
    if len(stored) == len(packets):
        return np.array(stored, np.int64)
    return np.arange(len(packets), dtype=np.int64) * usual


def _shortfall(
    container: InputContainer,
    stream: VideoStream,
    count: int,
    end_s: float,
) -> str:
    """What a file's header promised and its packets do not hold, in words; empty where they agree."""
    if count < stream.frames and container.format.name.startswith("mov"):
        return f"it breaks off after {end_s:.2f} s: {count} of {stream.frames} frames are there"
    stated_s = (container.duration or 0) / 1_000_000
    if container.format.name.startswith("matroska") and stated_s - end_s > SHORT_S:
        return f"it breaks off after {end_s:.2f} of {stated_s:.2f} s"
    return ""
