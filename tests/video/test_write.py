import logging
import math
import resource
import signal
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from video_clips import Maker, exact_times, number, numbered, packets_of, shown_times

from marey.core.errors import VideoError
from marey.video.file import File
from marey.video.read import Video, read
from marey.video.write import Writer

MS = Fraction(1, 1000)


def copied(video: Video, path: Path, **options: str) -> Video:
    """Write a video's frames unchanged and read the result."""
    with Writer(path, video.info.size, video, **options) as writer:
        for frame in video.frames():
            writer.write(frame.rgb, frame.time_s)
    return read(path)


CLOCKS = {
    "ntsc.mp4": (Fraction(1001, 30000), range(40)),
    "ntsc.mkv": (MS, [round(k * 1001 / 30) for k in range(40)]),
    "double.mp4": (Fraction(1, 60000), range(0, 40 * 1001, 1001)),
    "film.mp4": (Fraction(1, 24000), range(0, 40 * 1001, 1001)),
    "uneven.mkv": (MS, np.cumsum(np.random.default_rng(3).integers(4, 120, 40)).tolist()),
    "uneven.mp4": (Fraction(1, 90000), np.cumsum(np.random.default_rng(4).integers(400, 12000, 40)).tolist()),
    "late.ts": (Fraction(1, 90000), range(123456, 123456 + 40 * 3003, 3003)),
    "nano.mkv": (Fraction(1, 1_000_000), [round(k * 1e6 / 29.97) for k in range(40)]),
}


@pytest.mark.parametrize("name", CLOCKS)
@pytest.mark.parametrize("target", ["out.mp4", "out.mkv"])
def test_times_survive_exactly(make: Maker, name: str, target: str) -> None:
    time_base, pts = CLOCKS[name]
    source = make(name, 40, pts=list(pts), time_base=time_base, options={"bf": "2", "preset": "ultrafast"})
    video = read(source)
    result = copied(video, make.folder / target)
    truth = shown_times(source)
    if target.endswith(".mkv"):
        truth = [
            Fraction(math.floor(t * 1000 + Fraction(1, 2)), 1000) for t in truth
        ]  # Matroska's clock is in milliseconds
    assert shown_times(make.folder / target) == exact_times(result) == truth
    assert [number(f.rgb) for f in result.frames()] == list(range(40))
    assert result.info.duration_s == pytest.approx(video.info.duration_s, abs=0.002)


def test_a_part_keeps_the_sources_times(make: Maker) -> None:
    source = make("a.mp4", 90)
    part = read(source, from_s=1.0, to_s=1.5)
    result = copied(part, make.folder / "part.mp4")
    assert exact_times(result) == shown_times(source)[30:45]
    assert result.info.start_s == 1.0


def test_without_a_source_the_usual_rates_are_exact(tmp_path: Path) -> None:
    for rate in (
        Fraction(30000, 1001),
        Fraction(60000, 1001),
        Fraction(24000, 1001),
        Fraction(25),
        Fraction(120),
    ):
        path = tmp_path / "free.mp4"
        with Writer(path, (160, 48)) as writer:
            for k in range(20):
                writer.write(numbered(k), float(k / rate))
        assert shown_times(path) == [k / rate for k in range(20)]


def test_a_source_that_starts_before_zero_is_moved_to_zero(make: Maker) -> None:
    class Early(File):
        """No container at hand writes such times, though some are found."""

        def __init__(self, location: str) -> None:
            super().__init__(location)
            self.pts = self.pts - 1024

    path = make("a.mp4", 20, audio="aac")
    video = Video(str(path), Early(str(path)), range(20))
    with Writer(make.folder / "out.mp4", (160, 48), video) as writer:
        for k, time_s in enumerate(video.times_s):
            writer.write(numbered(k), float(time_s))
    result = read(make.folder / "out.mp4")
    assert result.info.start_s == 0
    np.testing.assert_array_equal(result.times_s, video.times_s)
    shift = packets_of(make.folder / "out.mp4", "audio")[0][0] - packets_of(path, "audio")[0][0]
    assert abs(shift - Fraction(1024, 15360)) < Fraction(1, 20_000)


def test_frames_that_share_a_time_follow_each_other(tmp_path: Path) -> None:
    with Writer(tmp_path / "twins.mp4", (160, 48)) as writer:
        for k, time_s in enumerate((0.0, 0.1, 0.1, 0.2)):
            writer.write(numbered(k), time_s)
    assert [number(f.rgb) for f in read(tmp_path / "twins.mp4").frames()] == [0, 1, 2, 3]


# --- sound ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp4", "aac"), ("a.mkv", "aac"), ("a.mkv", "libmp3lame"), ("a.mkv", "libopus"), ("a.mkv", "flac")],
)
def test_sound_is_copied_packet_by_packet(make: Maker, name: str, codec: str) -> None:
    source = make(name, 60, audio=codec)
    copied(read(source), make.folder / "out.mp4")
    before, after = packets_of(source, "audio"), packets_of(make.folder / "out.mp4", "audio")
    assert len(before) > 20
    assert [data for _, data in after] == [data for _, data in before]
    for (t, _), (u, _) in zip(before, after, strict=True):
        assert abs(t - u) <= (MS if name.endswith(".mkv") else Fraction(1, 48000))


def test_a_part_takes_the_sound_of_its_time(make: Maker) -> None:
    source = make("a.mp4", 90, audio="aac")
    copied(read(source, from_s=1.0, to_s=2.0), make.folder / "part.mp4")
    before, after = packets_of(source, "audio"), packets_of(make.folder / "part.mp4", "audio")
    assert set(after) <= set(before)
    assert after[0][0] <= 1.0 < after[1][0]
    assert after[-1][0] < 2.0 <= after[-1][0] + 2 * Fraction(1024, 48000)


def test_sound_in_transport_streams_finds_its_way_into_mp4(make: Maker) -> None:
    source = make("a.ts", 60, audio="aac")
    copied(read(source), make.folder / "out.mp4")
    with av.open(str(make.folder / "out.mp4")) as out:
        assert sum(f.samples for f in out.decode(audio=0)) > 1.8 * 48000


def test_sound_that_does_not_fit_is_left_out_and_told(make: Maker, caplog: pytest.LogCaptureFixture) -> None:
    source = make("a.avi", 30, codec="mpeg4", audio="pcm_mulaw")
    with caplog.at_level(logging.WARNING, "marey"):
        result = copied(read(source), make.folder / "out.mp4")
    assert "a.avi: its sound (pcm_mulaw) does not fit into mp4 and is left out" in caplog.text
    assert not result.info.has_audio
    assert len(result) == 30


# --- pictures ---------------------------------------------------------------------------------------------


def smooth(size: tuple[int, int]) -> np.ndarray:
    y, x = np.mgrid[: size[1], : size[0]]
    x, y = x * 200 // max(size[0], 200), y * 200 // max(size[1], 200)
    return np.stack([x + 20, y + 20, 230 - x], -1).astype(np.uint8)


@pytest.mark.parametrize("size", [(160, 120), (161, 121), (1, 1), (3, 64), (33, 2)])
def test_odd_sides_are_padded_with_their_edge(
    tmp_path: Path, size: tuple[int, int], caplog: pytest.LogCaptureFixture
) -> None:
    picture = smooth(size)
    with caplog.at_level(logging.INFO, "marey"), Writer(tmp_path / "o.mp4", size) as writer:
        for k in range(3):
            writer.write(picture, k / 30)
    frame = next(read(tmp_path / "o.mp4").frames())
    expected = np.pad(picture, ((0, size[1] % 2), (0, size[0] % 2), (0, 0)), mode="edge")
    assert frame.rgb.shape == expected.shape
    assert np.abs(frame.rgb.astype(int) - expected).mean() < 6
    assert ("padded" in caplog.text) == (size[0] % 2 == 1 or size[1] % 2 == 1)


def test_pictures_and_their_colours_come_back(tmp_path: Path) -> None:
    picture = smooth((320, 240))
    with Writer(tmp_path / "o.mp4", (320, 240)) as writer:
        writer.write(picture, 0.0)
    with av.open(str(tmp_path / "o.mp4")) as out:
        context = out.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
        tags = context.colorspace, context.color_range, context.color_primaries, context.color_trc
        assert [int(tag) for tag in tags] == [1, 1, 1, 1]  # BT.709 throughout, limited range
    rgb = next(read(tmp_path / "o.mp4").frames()).rgb.astype(int)
    assert np.abs(rgb - picture).mean() < 2
    assert np.abs((rgb - picture).mean((0, 1))).max() < 2  # no cast


def test_what_is_written_is_upright(make: Maker) -> None:
    source = make(
        "r.mp4", [np.rot90(numbered(k)).copy() for k in range(5)], setup=lambda s: s.set_display_rotation(-90)
    )
    video = read(source)
    assert video.info.rotation == 90
    result = copied(video, make.folder / "o.mp4")
    assert (result.info.rotation, result.info.size) == (0, (160, 48))
    assert [number(f.rgb) for f in result.frames()] == list(range(5))


def test_a_picture_of_another_size_is_fitted_in(tmp_path: Path) -> None:
    with Writer(tmp_path / "o.mp4", (160, 80)) as writer:
        writer.write(np.full((160, 160, 3), 200, np.uint8), 0.0)
    rgb = next(read(tmp_path / "o.mp4").frames()).rgb
    assert abs(int(rgb[40, 80, 0]) - 200) < 6
    assert rgb[40, 10].max() < 20
    assert rgb[40, 150].max() < 20


def test_the_index_stands_in_front(make: Maker) -> None:
    copied(read(make("a.mkv", 30)), make.folder / "o.mp4")
    data = (make.folder / "o.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


# --- encoders and failures --------------------------------------------------------------------------------


@pytest.mark.parametrize("codec", ["mpeg4", "libx265", "libsvtav1", "libvpx-vp9"])
def test_any_encoder_can_be_asked_for(make: Maker, codec: str) -> None:
    if codec not in av.codecs_available:
        pytest.skip(f"this FFmpeg has no {codec}")
    source = make("a.mkv", 20)
    result = copied(read(source), make.folder / "o.mp4", codec=codec)
    assert exact_times(result) == shown_times(source)
    assert [number(f.rgb) for f in result.frames()] == list(range(20))


@pytest.mark.parametrize("codec", ["no-such-codec", "aac"])
def test_an_encoder_that_is_missing_is_told_and_nothing_is_left(tmp_path: Path, codec: str) -> None:
    with pytest.raises(VideoError, match=f"o.mp4: this FFmpeg has no video encoder '{codec}'"):
        Writer(tmp_path / "o.mp4", (64, 48), codec=codec)
    assert list(tmp_path.iterdir()) == []


def test_an_encoder_that_does_not_fit_the_container_is_told(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="does not support 'gif'"):
        Writer(tmp_path / "o.mp4", (64, 48), codec="gif")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match=r"cannot be written \(No such file or directory\)"):
        Writer(tmp_path / "missing" / "o.mp4", (64, 48))


def test_an_unknown_suffix_is_told(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="no container has this suffix"):
        Writer(tmp_path / "o.film", (64, 48))
    assert list(tmp_path.iterdir()) == []


def test_a_broken_run_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "o.mp4"
    path.write_text("from before")

    def broken() -> None:
        with Writer(path, (160, 48)) as writer:
            writer.write(numbered(0), 0.0)
            raise RuntimeError("the run broke")

    with pytest.raises(RuntimeError, match="the run broke"):
        broken()
    assert path.read_text() == "from before"
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="no frame was written"), Writer(tmp_path / "o.mp4", (64, 48)):
        pass
    assert list(tmp_path.iterdir()) == []


FULL_DISK = """
import sys, numpy as np
from marey.core.errors import VideoError
from marey.video.write import Writer
rng = np.random.default_rng(0)
try:
    with Writer(sys.argv[1], (640, 480)) as writer:
        for k in range(200):
            writer.write(rng.integers(0, 255, (480, 640, 3), np.uint8), k / 30)
except VideoError as error:
    sys.exit(f"told: {error}")
"""


def test_a_full_disk_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / "o.mp4")],
        capture_output=True,
        text=True,
        preexec_fn=limited,
    )
    assert done.stderr.startswith("told: ")
    assert "o.mp4: cannot be written (File too large)" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.data
def test_the_demo_clip_keeps_its_times_and_sound(demo_clip: Path, tmp_path: Path) -> None:
    video = read(demo_clip, to_s=1.0)
    result = copied(video, tmp_path / "o.mp4")
    assert exact_times(result) == shown_times(demo_clip)[: len(video)]
    before, after = packets_of(demo_clip, "audio"), packets_of(tmp_path / "o.mp4", "audio")
    assert after == before[: len(after)]
    assert after[-1][0] < 1 <= before[len(after)][0]


def test_an_encoder_that_takes_no_pictures_from_memory_is_told(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "a.mp4", (16, 16))
    writer._stream.codec_context.pix_fmt = "vaapi"  # as encoders have that take a graphics card's surfaces
    with pytest.raises(
        VideoError, match=r"a\.mp4: cannot be written \(pictures.*vaapi\); try --codec libx264"
    ):
        writer.converted(np.zeros((16, 16, 3), np.uint8))
    writer.discard()
    assert not list(tmp_path.iterdir())
