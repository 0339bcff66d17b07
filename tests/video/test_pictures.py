import struct
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from video_clips import number, numbered

from marey.video.read import read

MS = Fraction(1, 1000)


def save(path: Path, rgb: np.ndarray) -> None:
    assert cv2.imwrite(str(path), rgb[..., ::-1])


def test_a_folder_of_pictures_in_natural_order(tmp_path: Path) -> None:
    for k in (1, 2, 10, 9, 100):
        save(tmp_path / f"shot{k}.png", numbered(k))
    (tmp_path / "notes.txt").write_text("not a picture")
    save(tmp_path / ".hidden.png", numbered(7))
    video = read(tmp_path)
    assert [number(f.rgb) for f in video.frames()] == [1, 2, 9, 10, 100]
    np.testing.assert_allclose(video.times_s, np.arange(5) / 25)
    assert video.info.rate == 25
    assert video.info.duration_s == 0.2
    slow = read(tmp_path, rate_hz=Fraction(30000, 1001))
    assert slow.info.rate == Fraction(30000, 1001)
    assert [(f.index, f.time_s) for f in slow.frames(3)] == [(3, 3 * 1001 / 30000), (4, 4 * 1001 / 30000)]


def test_a_single_picture(tmp_path: Path) -> None:
    picture = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
    save(tmp_path / "one.png", picture)
    video = read(tmp_path / "one.png")
    (frame,) = video.frames()
    assert (frame.index, frame.time_s, video.info.size, video.info.rate) == (0, 0.0, (7, 5), None)
    np.testing.assert_array_equal(frame.rgb, picture)


def test_a_damaged_picture_is_left_out_and_told(tmp_path: Path) -> None:
    for k in range(4):
        save(tmp_path / f"{k}.png", numbered(k))
    (tmp_path / "2.png").write_bytes(b"no picture")
    video = read(tmp_path)
    assert [f.index for f in video.frames()] == [0, 1, 3]
    assert "2.png" in video.problem


def test_a_cameras_orientation_is_applied_to_pictures(tmp_path: Path) -> None:
    stored = numbered(9, (160, 48))
    save(tmp_path / "p.jpg", stored)
    data = (tmp_path / "p.jpg").read_bytes()
    exif = (
        b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"  # orientation 6: turn 90°
    )
    (tmp_path / "p.jpg").write_bytes(
        data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]
    )
    rgb = next(read(tmp_path / "p.jpg").frames()).rgb
    assert rgb.shape == (160, 48, 3)
    assert number(np.rot90(rgb)) == 9
