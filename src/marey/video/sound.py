"""A source's sound, copied packet by packet into what is written."""

import logging
from fractions import Fraction
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.error import FFmpegError

log = logging.getLogger("marey")


class Sound:
    """The first sound track of a file, handed on in step with the pictures."""

    def __init__(self, location: str) -> None:
        self._name = Path(location).name
        self._source = av.open(location, metadata_errors="replace")
        self._stream: AudioStream = self._source.streams.audio[0]
        self._packets = self._source.demux(self._stream)
        self._next: av.Packet | None = None
        self._shift = 0

    @property
    def clock(self) -> Fraction:
        """Seconds per tick of the sound."""
        return self._stream.time_base or Fraction(1, self._stream.rate)

    def join(self, out: OutputContainer, shift_s: Fraction) -> bool:
        """Add the track to a file, moved by `shift_s`; False, and one line said, if it cannot hold it."""
        try:
            self._target = out.add_stream_from_template(self._stream)
        except ValueError:
            codec, kind = self._stream.codec_context.name, out.format.name
            log.warning("%s: its sound (%s) does not fit into %s and is left out", self._name, codec, kind)
            self.close()
            return False
        self._shift = round(shift_s / self.clock)
        return True

    def skip(self, until_s: Fraction) -> None:
        """Drop what ends before `until_s`."""
        while (packet := self._peek()) is not None:
            if (self._begin(packet) + (packet.duration or 0)) * self.clock > until_s:
                return
            self._next = None

    def copy(self, out: OutputContainer, until_s: Fraction | None) -> None:
        """Hand on the packets that begin before `until_s`; all that are left for None."""
        while (packet := self._peek()) is not None:
            if until_s is not None and self._begin(packet) * self.clock >= until_s:
                return
            self._next = None
            packet.pts = packet.dts = self._begin(packet)  # sound is never reordered
            packet.stream = self._target
            out.mux(packet)

    def _peek(self) -> av.Packet | None:
        """The next packet with a time; None at the end, also where a damaged source breaks off."""
        while self._next is None:
            try:
                packet = next(self._packets, None)
            except FFmpegError:
                return None
            if packet is None or packet.size == 0:
                return None
            if packet.pts is not None or packet.dts is not None:
                self._next = packet
        return self._next

    def _begin(self, packet: av.Packet) -> int:
        """When a packet sounds, in ticks of the written file."""
        return (packet.pts if packet.pts is not None else packet.dts or 0) + self._shift

    def close(self) -> None:
        """Let go of the source."""
        self._source.close()
