import logging
import struct
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from video_clips import Maker, exact_times, number, numbered, plain_decode

from marey.video.read import read

MS = Fraction(1, 1000)

GOPS = {
    "closed.mp4": ("libx264", {"g": "12", "bf": "3", "x264-params": "scenecut=0:b-adapt=0"}),
    "open.mp4": (
        "libx264",
        {"g": "12", "bf": "3", "x264-params": "scenecut=0:open-gop=1:b-adapt=0:b-pyramid=normal"},
    ),
    "open.ts": ("libx264", {"g": "12", "bf": "3", "x264-params": "scenecut=0:open-gop=1:b-adapt=0"}),
    "refresh.mkv": ("libx264", {"g": "12", "x264-params": "intra-refresh=1:scenecut=0"}),
    "open.mkv": ("libx265", {"x265-params": "keyint=12:min-keyint=12:open-gop=1:bframes=4:log-level=none"}),
    "every.mp4": ("libx264", {"g": "2", "bf": "1", "x264-params": "scenecut=0:keyint-min=1"}),
    "vp9.webm": ("libvpx-vp9", {"g": "12", "auto-alt-ref": "1", "lag-in-frames": "12", "cpu-used": "8"}),
    "one.mp4": ("libx264", {"g": "250", "bf": "3"}),
}


@pytest.mark.parametrize("name", GOPS)
def test_seeking_gives_what_decoding_from_the_start_gives(make: Maker, name: str) -> None:
    codec, options = GOPS[name]
    count = 40
    path = make(name, count, codec=codec, options=options)
    truth = plain_decode(path)
    video = read(path)
    assert exact_times(video) == [t for t, _ in truth]
    for first in range(count):
        got = list(video.frames(first, first + 2))
        assert [f.index for f in got] == list(range(first, min(first + 2, count)))
        for frame in got:
            np.testing.assert_array_equal(frame.rgb, truth[frame.index][1])
    assert video.problem == ""


TURNS = {  # a, b, c, d of the display matrix -> clockwise turn, mirrored
    (1, 0, 0, 1): (0, False),
    (0, 1, -1, 0): (90, False),
    (-1, 0, 0, -1): (180, False),
    (0, -1, 1, 0): (270, False),
    (-1, 0, 0, 1): (0, True),
    (0, 1, 1, 0): (90, True),
    (1, 0, 0, -1): (180, True),
    (0, -1, -1, 0): (270, True),
}


def with_matrix(path: Path, matrix: tuple[int, int, int, int]) -> Path:
    """Write a display matrix into a file's track header, byte by byte (ISO/IEC 14496-12, 8.3.2)."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    a, b, c, d = (value << 16 for value in matrix)
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("matrix", TURNS)
def test_the_display_matrix_is_applied_and_recorded(make: Maker, matrix: tuple[int, int, int, int]) -> None:
    stored = np.zeros((32, 64, 3), np.uint8)
    stored[:16, :32], stored[:16, 32:], stored[16:, :32] = (220, 30, 30), (30, 220, 30), (30, 30, 220)
    path = with_matrix(make("r.mp4", [stored] * 3, options={"qp": "1"}, pix_fmt="yuv444p"), matrix)
    a, b, c, d = matrix
    shown = {}
    for y in range(32):  # the standard's own words: a point (x, y) is shown at (a·x + c·y, b·x + d·y)
        for x in range(64):
            shown[a * x + c * y, b * x + d * y] = stored[y, x]
    left, top = min(x for x, _ in shown), min(y for _, y in shown)
    size = (64, 32) if a else (32, 64)
    expected = np.array([[shown[x + left, y + top] for x in range(size[0])] for y in range(size[1])])
    video = read(path)
    assert (video.info.rotation, video.info.mirrored) == TURNS[matrix]
    assert video.info.size == size
    rgb = next(video.frames()).rgb
    assert rgb.flags.c_contiguous
    assert np.abs(rgb.astype(int) - expected).max() < 12
    turned = np.rot90(stored, -video.info.rotation // 90)
    np.testing.assert_array_equal(turned[:, ::-1] if video.info.mirrored else turned, expected)


@pytest.mark.parametrize(
    ("aspect", "size", "recorded"),
    [
        ("64/45", (512, 288), "64/45"),
        ("8/9", (360, 324), "8/9"),
        ("1216/1215", (360, 288), "1"),
        ("0", (360, 288), "1"),
    ],
)
def test_pixels_become_square(make: Maker, aspect: str, size: tuple[int, int], recorded: str) -> None:
    def setup(stream: av.VideoStream) -> None:
        stream.codec_context.sample_aspect_ratio = Fraction(aspect)

    video = read(make("dv.mkv", [numbered(5, (360, 288))] * 2, setup=setup))
    assert video.info.size == size
    assert video.info.pixel_aspect == Fraction(recorded)
    rgb = next(video.frames()).rgb
    assert rgb.shape == (size[1], size[0], 3)
    assert number(rgb) == 5


MATRICES = {1: (0.2126, 0.0722), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}  # ITU-R BT.709, BT.601, BT.2020


@pytest.mark.parametrize(
    ("tag", "height", "meant"), [(1, 64, 1), (6, 64, 6), (9, 64, 9), (2, 64, 6), (2, 720, 1)]
)
@pytest.mark.parametrize("full", [False, True])
def test_colours_follow_the_stated_matrix_and_range(
    make: Maker, tag: int, height: int, meant: int, full: bool
) -> None:
    colour = np.array([200, 40, 90])
    red, blue = MATRICES[meant]
    luma = red * colour[0] + (1 - red - blue) * colour[1] + blue * colour[2]
    chroma = (colour[2] - luma) / (2 * (1 - blue)), (colour[0] - luma) / (2 * (1 - red))
    scale = (1, 1, 0) if full else (219 / 255, 224 / 255, 16)
    planes = [luma * scale[0] + scale[2], *(c * scale[1] + 128 for c in chroma)]
    path = make.folder / "c.mkv"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("ffv1", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, height, "yuv444p"
        stream.codec_context.colorspace, stream.codec_context.color_range = tag, 2 if full else 1
        frame = av.VideoFrame(64, height, "yuv444p")
        for plane, value in zip(frame.planes, planes, strict=True):
            plane.update(bytes([round(value)]) * plane.buffer_size)
        frame.colorspace, frame.color_range, frame.pts = tag, 2 if full else 1, 0
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    rgb = next(read(path).frames()).rgb
    assert np.abs(rgb[8, 8].astype(int) - colour).max() <= 3


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (17, 1), (1, 33)])
def test_any_size(make: Maker, size: tuple[int, int]) -> None:
    picture = np.zeros((size[1], size[0], 3), np.uint8)
    picture[..., 0], picture[-1, -1] = 200, (10, 220, 30)
    video = read(make("s.mov", [picture] * 2, codec="png", pix_fmt="rgb24"))
    frames = list(video.frames())
    assert video.info.size == size
    assert len(frames) == 2
    np.testing.assert_array_equal(frames[1].rgb, picture)


def test_an_8k_frame(make: Maker) -> None:
    picture = np.zeros((4320, 7680, 3), np.uint8)
    picture[:2160, :3840], picture[2160:, 3840:] = 200, (10, 120, 230)
    video = read(make("s.mov", [picture], codec="mjpeg", pix_fmt="yuvj444p"))
    (frame,) = video.frames()
    assert video.info.size == (7680, 4320)
    for x, y in ((100, 100), (7600, 100), (100, 4300), (7600, 4300)):
        assert np.abs(frame.rgb[y, x].astype(int) - picture[y, x]).max() < 8


def test_the_size_of_the_first_frame_holds(make: Maker) -> None:
    small = make("small.h264", [numbered(k, (160, 48)) for k in range(5)]).read_bytes()
    large = make("large.h264", [numbered(k, (320, 96)) for k in range(5, 10)]).read_bytes()
    both = make.folder / "both.h264"
    both.write_bytes(small + large)
    frames = list(read(both).frames())
    assert {f.rgb.shape for f in frames} == {(48, 160, 3)}
    assert [number(f.rgb) for f in frames] == list(range(10))


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
@pytest.mark.parametrize("share", [0.3, 0.61, 0.9])
def test_a_truncated_file_is_read_as_far_as_it_goes(
    make: Maker, name: str, share: float, caplog: pytest.LogCaptureFixture
) -> None:
    muxing = {"movflags": "+faststart"} if name == "a.mp4" else None
    path = make(name, 300, options={"g": "30", "bf": "2"}, muxing=muxing)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with caplog.at_level(logging.WARNING, "marey"):
        video = read(path)
        frames = list(video.frames())
    assert 0.2 * 300 < len(frames) < 0.98 * 300
    assert [number(f.rgb) for f in frames][:-3] == [f.index for f in frames][:-3]
    if name != "a.ts":  # a transport stream does not say how long it should be
        assert "breaks off after" in video.problem
        assert f"{name}: it breaks off after" in caplog.text
        said = float(video.problem.split("after ")[1].split()[0])
        assert abs(said - frames[-1].time_s) < 0.2


def test_a_hole_in_the_middle_leaves_the_rest_in_its_place(make: Maker) -> None:
    path = make("hole.mkv", 120, options={"g": "20", "bf": "0"}, codec="libx264")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 1500] = np.random.default_rng(0).bytes(1500)
    path.write_bytes(data)
    video = read(path)
    frames = list(video.frames())
    assert 60 < len(frames) <= 120
    assert all(a.time_s < b.time_s for a, b in pairwise(frames))
    right = [f for f in frames if abs(number(f.rgb) / 30 - (f.time_s + video.info.start_s)) < 0.01]
    assert len(right) > 80
    assert round(frames[-1].time_s * 30) == number(frames[-1].rgb) == 119


def test_frames_that_cannot_be_decoded_are_told(make: Maker, caplog: pytest.LogCaptureFixture) -> None:
    path = make("bad.mkv", 30, codec="mjpeg", pix_fmt="yuvj420p")
    sizes = []
    with av.open(str(path)) as source:
        sizes = [(p.pos, p.size) for p in source.demux(source.streams.video[0]) if p.size]
    data = bytearray(path.read_bytes())
    for k in (11, 12):
        at, size = sizes[k]
        start = data.index(b"\xff\xd8", at)
        data[start : start + size - 20] = bytes(size - 20)
    path.write_bytes(data)
    video = read(path)
    with caplog.at_level(logging.WARNING, "marey"):
        frames = list(video.frames())
    assert (
        [f.index for f in frames]
        == [number(f.rgb) for f in frames]
        == [k for k in range(30) if k not in (11, 12)]
    )
    assert video.problem == "2 of 30 frames cannot be decoded and are left out"
    assert f"bad.mkv: {video.problem}" in caplog.text
