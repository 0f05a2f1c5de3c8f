"""The sound of a video, beside its marked frames."""

from __future__ import annotations

from collections.abc import Iterator

from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.codec import Codec
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.packet import Packet

UNPACKED = "pcm_"
"""How FFmpeg's names of unpacked sound begin. MP4 may hold it, but few programs play it there, and
that of most other files cannot be copied into it."""


class Sound:
    """Copies a sound track of a video.

    One that the new file cannot hold, and unpacked sound, becomes AAC, in stereo at most.

    Args:
        source: A video with sound, opened for this alone.
        track: Which of its tracks, one of a known format.
        into: The new file, to which nothing has been written yet.
        later: By how many seconds it is heard later there; below 0 for earlier.
    """

    def __init__(
        self, source: InputContainer, track: AudioStream, into: OutputContainer, later: float = 0.0
    ) -> None:
        self._offset = round(later / (track.time_base or 1))
        self._dts: int | None = None
        self._end = 0
        self._packets = self._demuxed(source, track)
        self._waiting: Packet[AudioStream] | None = None
        self._into = into
        self._resampler: AudioResampler | None = None
        self._track: AudioStream
        codec = track.codec_context.codec.name
        if codec in into.supported_codecs and not codec.startswith(UNPACKED):
            self._track = into.add_stream_from_template(track)
        else:
            layout = "mono" if track.channels == 1 else "stereo"
            rate = _nearest_rate(track.rate)
            self._track = into.add_stream("aac", rate=rate, layout=layout)
            self._resampler = AudioResampler(format="fltp", layout=layout, rate=rate)

    def until(self, time: float) -> None:
        """Copy what is heard before a time in seconds."""
        while packet := self._waiting or next(self._packets, None):
            if packet.pts is not None and float(packet.pts * packet.time_base) >= time:
                self._waiting = packet
                return
            self._waiting = None
            self._copy(packet)

    def finish(self) -> None:
        """Copy the rest."""
        self.until(float("inf"))
        if self._resampler:
            self._encode(None, self._resampler)
            self._into.mux(self._track.encode(None))

    def _demuxed(self, source: InputContainer, track: AudioStream) -> Iterator[Packet[AudioStream]]:
        try:
            for packet in source.demux(track):
                if packet.dts is not None:
                    self._shift(packet, packet.dts)
                    yield packet
        except (FFmpegError, OSError):
            return  # the end of a video that is cut short; the picture's decoding has said so

    def _shift(self, packet: Packet[AudioStream], dts: int) -> None:
        """Carry on behind what was before where the timestamps begin again, as in joined files."""
        if self._dts is not None and dts < self._dts:
            self._offset = self._end - dts
        self._dts, packet.dts = dts, dts + self._offset
        self._end = packet.dts + (packet.duration or 1)
        if packet.pts is not None:
            packet.pts += self._offset

    def _copy(self, packet: Packet[AudioStream]) -> None:
        if not self._resampler:
            packet.stream = self._track
            self._into.mux(packet)
            return
        try:
            frames = packet.decode()
        except (FFmpegError, ValueError):
            return  # a damaged piece is silence
        for frame in frames:
            self._encode(frame, self._resampler)

    def _encode(self, frame: AudioFrame | None, resampler: AudioResampler) -> None:
        for piece in resampler.resample(frame):
            self._into.mux(self._track.encode(piece))


def known_track(source: InputContainer) -> AudioStream | None:
    """Return the first sound track in a format that FFmpeg knows; None where there is none."""
    # A track in another format has no codec, whatever its type says.
    known: list[AudioStream] = [t for t in source.streams.audio if t.codec_context is not None]
    return known[0] if known else None


def _nearest_rate(rate: int) -> int:
    known = Codec("aac", "w").audio_rates or [rate]
    return min(known, key=lambda other: abs(other - rate))
