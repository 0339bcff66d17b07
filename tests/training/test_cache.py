"""The crop cache: joints stay on their pixels, shards stay small, and a change makes another cache."""

from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import scipy.io

import data_trees_video as trees
from marey.core.errors import DataError
from marey.core.geometry import Side, size_of
from marey.core.skeletons import JHMDB15, LSP14, MAREY19
from marey.data import synth
from marey.training import cache
from marey.training.augment import Augment
from marey.training.cache import CacheSettings, marey_joints, people
from marey.training.poses import LOOKED_FOR, PoseBatches
from marey.training.recipe import Source
from marey.training.teacher import Teacher

PLACES = np.random.default_rng(4).uniform(40, 160, (6, 14, 2)).round()


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    """A miniature LSP whose joint j shows as a soft spot of its own brightness."""
    monkeypatch.setenv("MAREY_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "lsp"
    (folder / "images").mkdir(parents=True)
    joints = np.full((3, 14, 2000), np.nan)
    rows, columns = np.mgrid[:200, :200] + 0.5
    for k, places in enumerate(PLACES):
        picture = np.zeros((200, 200), np.float64)
        x, y = places[3]  # one spot is enough to find
        picture += 250 * np.exp(-0.5 * ((columns - x) ** 2 + (rows - y) ** 2) / 2.5**2)
        cv2.imwrite(str(folder / "images" / f"im{k + 1:04d}.jpg"), cv2.merge([picture.astype(np.uint8)] * 3))
        joints[:2, :, k], joints[2, :, k] = places.T + 0.5, 0  # MATLAB counts from 1 at pixel centres
    scipy.io.savemat(folder / "joints.mat", {"joints": joints})
    return Source("lsp", "train", path=str(folder))


def brightest(rgb: np.ndarray) -> np.ndarray:
    weight = np.where(rgb[..., 0] > 60, rgb[..., 0].astype(np.float64), 0)
    rows, columns = np.mgrid[: rgb.shape[0], : rgb.shape[1]] + 0.5
    return np.array([(columns * weight).sum(), (rows * weight).sum()]) / weight.sum()


def test_joints_lie_on_their_pixels(source: Source) -> None:
    held = people([source], CacheSettings(quality=98))
    assert len(held) == len(PLACES)
    joint = MAREY19.index("left_hip")
    for k in range(len(held)):
        np.testing.assert_allclose(brightest(held.rgb(k)), held.xy[k, joint], atol=0.4)
        back = held.xy[k, joint] / held.scale[k] + held.origin[k]
        np.testing.assert_allclose(back, PLACES[k, 3], atol=1e-2)


def test_warped_batches_keep_them_there_mirrored_or_not(source: Source) -> None:
    held = people([source], CacheSettings(quality=98))
    ones = np.ones((len(held), 19), np.float32)
    settings = Augment(rotation=60, zoom=(0.9, 1.4), shift=0, half=0)
    looked = np.zeros(len(held), int)
    batches = PoseBatches(held, ones, ones[:, 0], looked, MAREY19, 128, 1.4, settings, 24, 3)
    batch = batches.make(0)
    sides = [MAREY19.index("left_hip"), MAREY19.index("right_hip")]
    found = np.array([brightest(rgb) for rgb in batch["rgb"]])
    away = np.linalg.norm(batch["xy"][:, sides] - found[:, None], axis=-1)
    assert away.min(1).max() < 1.0  # the spot is the left hip, or after mirroring the right one
    assert 0.2 < (away[:, 1] < away[:, 0]).mean() < 0.8


@pytest.mark.parametrize("side", [128, 96, (96, 128)])  # the teacher's 64 cells divide by 32 and not by 24
def test_a_teacher_sees_the_same_crop_larger(source: Source, side: Side) -> None:
    """A teacher that finds the brightest spot puts it where it lies on the pupil's crop."""

    def spots(inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        height, width = inputs["rgb"].shape[1:3]
        heat = np.zeros((len(inputs["rgb"]), 19, height // 4, width // 4), np.float32)
        for k, rgb in enumerate(inputs["rgb"]):
            column, row = (brightest(rgb) // 4).astype(int)
            heat[k, :, row, column] = 0.8
        return {"heat": heat}

    held = people([source], CacheSettings(quality=98))
    ones = np.ones((len(held), 19), np.float32)
    settings = Augment(rotation=60, zoom=(0.9, 1.4), shift=0, half=0)
    batches = PoseBatches(
        held, ones, ones[:, 0], np.zeros(len(held), int), MAREY19, side, 1.4, settings, 24, 3,
        Teacher(spots, 256, 0.3),
    )  # fmt: skip
    batch = batches.make(0)
    assert batch["taught"].shape == (24, 19, size_of(side)[1] // 4, size_of(side)[0] // 4)
    np.testing.assert_allclose(batch["taught"].sum((2, 3)), 0.8, atol=1e-5)
    np.testing.assert_array_equal(batch["teaching"], np.full(24, 0.3, np.float32))
    assert "large" not in batch
    for rgb, taught in zip(batch["rgb"], batch["taught"][:, 0], strict=True):
        row, column = np.unravel_index(taught.argmax(), taught.shape)
        assert np.abs(brightest(rgb) - 4 * np.array([column + 0.5, row + 0.5])).max() < 4  # a cell


def test_crops_have_the_sides_of_their_cycle_and_joints_go_with_them(source: Source) -> None:
    held = people([source], CacheSettings(quality=98))
    ones = np.ones((len(held), 19), np.float32)
    looked = np.zeros(len(held), int)

    def batches(*rows: tuple[Side, ...]) -> PoseBatches:
        settings = Augment(rotation=60, shift=0, half=0, sides=rows)
        return PoseBatches(held, ones, ones[:, 0], looked, MAREY19, 64, 1.25, settings, 4, 3, cycle=8)

    mixed = batches((64,), (96, (96, 128)))
    sizes = [mixed.make(step)["rgb"].shape[1:3] for step in range(16)]
    assert sizes[:8] == [(64, 64)] * 8
    assert set(sizes[8:]) == {(96, 96), (128, 96)}
    small, large = (batches((side,)).make(2) for side in (64, 128))
    np.testing.assert_allclose(2 * small["xy"], large["xy"], atol=1e-3)
    np.testing.assert_array_equal(small["weight"], large["weight"])


def test_a_batch_is_a_function_of_seed_and_step(source: Source) -> None:
    held = people([source], CacheSettings())
    ones = np.ones((len(held), 19), np.float32)

    def made(seed: int, step: int) -> dict[str, np.ndarray]:
        looked = np.zeros(len(held), int)
        return PoseBatches(held, ones, ones[:, 0], looked, MAREY19, 64, 1.25, Augment(), 4, seed).make(step)

    for key, value in made(1, 5).items():
        np.testing.assert_array_equal(value, made(1, 5)[key])
    assert not np.array_equal(made(1, 5)["rgb"], made(1, 6)["rgb"])
    assert not np.array_equal(made(1, 5)["rgb"], made(2, 5)["rgb"])


def test_an_epoch_shows_everybody(source: Source) -> None:
    held = people([source], CacheSettings())
    ones = np.ones((len(held), 19), np.float32)
    looked = np.zeros(len(held), int)
    batches = PoseBatches(held, ones, 2 * ones[:, 0], looked, MAREY19, 64, 1.25, Augment(), 3, 1)
    seen = [number for step in range(4) for number, _ in batches._numbers(step)]
    assert sorted(seen) == sorted([0, 1, 2, 3, 4, 5] * 2)


def test_the_second_opening_reads_and_a_changed_setting_makes_anew(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = people([source], CacheSettings())
    monkeypatch.setattr(cache, "_make", lambda *rest: pytest.fail("made twice"))
    assert people([source], CacheSettings()).folder == first.folder
    monkeypatch.undo()
    assert cache.fingerprint([1]) != cache.fingerprint([2])


def test_shards_are_no_larger_than_asked(source: Source) -> None:
    held = people([source], CacheSettings(shard_mib=0))
    shards = sorted(held.folder.glob("shard-*.bin"))
    assert len(shards) > 1
    assert all(held.rgb(k).shape[2] == 3 for k in range(len(held)))


def test_too_few_joints_everywhere_is_an_error(source: Source) -> None:
    with pytest.raises(DataError, match="no person with enough labelled joints"):
        people([source], CacheSettings(fewest=15))


def test_names_decide_and_jhmdbs_neck_is_not_ours() -> None:
    xy = np.arange(28, dtype=np.float32).reshape(14, 2)
    found, state = marey_joints(LSP14, "lsp", xy, np.full(14, 2, np.uint8))
    np.testing.assert_array_equal(found[MAREY19.index("head_top")], xy[13])
    assert state[MAREY19.index("nose")] == 0
    xy = np.zeros((15, 2), np.float32)
    _, state = marey_joints(JHMDB15, "jhmdb", xy, np.full(15, 2, np.uint8))
    assert state[MAREY19.index("neck")] == 0
    assert state[MAREY19.index("left_wrist")] == 2


def test_clips_made_anew_in_the_same_place_are_cut_out_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A benchmark has as many frames after it was made again: its truth tells them apart."""
    monkeypatch.setenv("MAREY_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "made" / "single" / "train"
    trees.synth(folder)
    one = Source("bench", path=str(tmp_path / "made"))
    first = people([one], CacheSettings())
    assert len(first) == 2  # on two of three frames
    outside = first.state == 0
    assert outside.any()  # joints out of the picture
    assert LOOKED_FOR["bench"] == len(MAREY19)  # and they are absent, not unknown
    assert people([one], CacheSettings()).folder == first.folder
    table = pq.read_table(folder / "walk.marey" / "poses.parquet")
    moved = pc.add(table["x_px"], pa.scalar(1.0, table["x_px"].type))
    pq.write_table(
        table.set_column(table.column_names.index("x_px"), "x_px", moved),
        folder / "walk.marey" / "poses.parquet",
    )
    synth._clip.cache_clear()
    assert people([one], CacheSettings()).folder != first.folder
