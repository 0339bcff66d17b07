"""Poses from files: what other tools write is read as they mean it, and compared in pairs."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import data_trees as trees
from marey.cli import main
from marey.core.errors import DataError
from marey.core.skeletons import BODY25, LSP14, MAREY19, POSETRACK18, Skeleton
from marey.data import open_kind
from marey.data.sample import Sample
from marey.evaluation.filed import filed_poses, write_poses
from marey.evaluation.intervals import paired
from marey.evaluation.measure import Posed
from marey.evaluation.poses import compare_poses, judge_poses


@pytest.fixture
def coco(tmp_path: Path) -> Sequence[Sample]:
    notes = [trees.note(1, 7, [1, 2, 30, 30], area=900.0), trees.note(2, 21, [1, 2, 30, 30], area=900.0)]
    return open_kind("coco", trees.coco(tmp_path / "coco", "val2017", notes), "all")


@pytest.fixture
def lsp(tmp_path: Path) -> Sequence[Sample]:
    return open_kind("lsp", trees.lsp(tmp_path / "lsp"), "all")


def whole(count: int, x: float = 0.0) -> list[float]:
    """Joint j at the whole pixel (j + x, 2j) as foreign tools count, score 1; the first is missing."""
    triples = np.stack([np.arange(count) + x, np.arange(count) * 2.0, np.ones(count)], 1)
    triples[0] = 0
    return triples.reshape(-1).tolist()


def write(path: Path, told: object) -> Path:
    path.write_text(json.dumps(told))
    return path


def test_coco_results_lie_on_the_truth_they_copy(coco, tmp_path: Path):
    """`data_trees.note` puts joint j on pixel (j, 2j): a result with the same numbers is perfect."""
    results = [
        {"image_id": k, "category_id": 1, "keypoints": [0.0, 0.0, 1.0, *whole(17)[3:]], "score": 0.5}
        for k in (7, 21)
    ]
    posed = filed_poses(write(tmp_path / "r.json", results), coco)
    held = judge_poses("coco", coco, posed)
    assert held.metrics["AP"] == pytest.approx(1)
    assert held.protocol["score"] == "the file's own"
    np.testing.assert_array_equal(posed[0].xy_px[0, 1], [1.5, 2.5])  # the middle of pixel (1, 2)


def test_missing_joints_are_nan(coco, tmp_path: Path):
    results = [{"image_id": 7, "keypoints": whole(17), "score": 1}]
    posed = filed_poses(write(tmp_path / "r.json", results), coco)
    assert np.isnan(posed[0].xy_px[0, 0]).all()
    assert np.isfinite(posed[0].xy_px[0, 1:]).all()
    assert len(posed[1].xy_px) == 0


def test_the_files_own_score_orders_its_poses(coco, tmp_path: Path):
    """Two poses on each picture, one right, one far off: the right one must have the higher score."""
    for good, bad, perfect in ((0.9, 0.1, True), (0.1, 0.9, False)):
        results = [
            {"image_id": k, "keypoints": whole(17, x), "score": score}
            for k in (7, 21)
            for x, score in ((0.0, good), (900.0, bad))
        ]
        held = judge_poses("coco", coco, filed_poses(write(tmp_path / "r.json", results), coco))
        assert (held.metrics["AP"] > 0.8) == perfect  # 15 of 16 joints: OKS 0.94


def test_openpose_folders(coco, tmp_path: Path):
    folder = tmp_path / "openpose"
    folder.mkdir()
    for sample in coco:
        person = {"pose_keypoints_2d": whole(25)}
        name = sample.name.rpartition("/")[2]
        write(folder / f"{name}_keypoints.json", {"version": 1.3, "people": [person]})
    posed = filed_poses(folder, coco)
    assert [one.skeleton for one in posed] == [BODY25, BODY25]
    np.testing.assert_array_equal(posed[1].xy_px[0, 3], [3.5, 6.5])


def test_posetrack_objects_go_by_file_name(coco, tmp_path: Path):
    images = [{"id": 100 + k, "file_name": f"{sample.name}.jpg"} for k, sample in enumerate(coco)]
    notes = [{"image_id": 101, "keypoints": whole(17), "scores": [0.5] * 17, "track_id": 3}]
    posed = filed_poses(write(tmp_path / "p.json", {"images": images, "annotations": notes}), coco)
    assert posed[1].skeleton == POSETRACK18
    assert [len(one.xy_px) for one in posed] == [0, 1]


def _near(samples: Sequence[Sample], skeleton: Skeleton, off: float) -> list[Posed]:
    posed = []
    for sample in samples:
        xy = sample.truth.skeleton.converter(skeleton)(sample.truth.xy_px) + np.float32(off)
        ones = np.ones(len(xy), np.float32)
        posed.append(Posed(skeleton, sample.truth.boxes_px, ones, xy, np.full(xy.shape[:2], 0.5, np.float32)))
    return posed


def test_what_is_written_is_read_again(lsp, tmp_path: Path):
    posed = _near(lsp, MAREY19, 0.25)
    write_poses(tmp_path / "w.json", lsp, posed)
    for before, after in zip(posed, filed_poses(tmp_path / "w.json", lsp), strict=True):
        assert after.skeleton.joints == MAREY19.joints
        np.testing.assert_allclose(after.xy_px, before.xy_px, atol=1e-3)
        np.testing.assert_allclose(after.ranks, before.ranks, atol=1e-6)


def test_a_pair_is_compared_on_the_same_pictures(lsp):
    torso = min(float(sample.truth.torso_px[0]) for sample in lsp)
    good, bad = _near(lsp, LSP14, 0.0), _near(lsp, LSP14, torso)
    table = compare_poses("pck-torso", lsp, good, bad)["PCK@0.2"]
    assert table == {"difference": 1.0, "low": 1.0, "high": 1.0, "better": 1.0}
    same = compare_poses("pck-torso", lsp, good, good)["PCK@0.2"]
    assert same == {"difference": 0.0, "low": 0.0, "high": 0.0, "better": 0.0}


def test_a_paired_interval_is_that_of_the_differences():
    """The figures vary widely, their difference not at all: drawn together its interval has no width."""
    values = np.random.default_rng(0).normal(size=40)

    def differences(weights):
        mean = (weights * values).sum() / weights.sum()
        return {"m": float((mean + 0.5) - mean)}

    held = paired([str(k) for k in range(40)], differences)["m"]
    assert held["low"] == pytest.approx(0.5)
    assert held["high"] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("{", "no JSON"),
        ('{"a": 1}', "neither a list"),
        ('[{"keypoints": []}]', "without image_id"),
        ('[{"image_id": 7}]', "without keypoints"),
        ('[{"image_id": 7, "keypoints": [1, 2]}]', "x, y, score"),
        ('[{"image_id": 7, "keypoints": [1, 2, "a"]}]', "no numbers"),
        ('[{"image_id": 7, "keypoints": [1, 2, 3]}]', "keypoints of 1 joints"),
        ("[]", "none of the 2 pictures"),
    ],
)
def test_broken_files_are_named(coco, tmp_path: Path, told: str, said: str):
    path = tmp_path / "broken.json"
    path.write_text(told)
    with pytest.raises(DataError, match=said) as refused:
        filed_poses(path, coco)
    assert "broken.json" in str(refused.value)


def test_missing_and_empty_places_are_named(coco, tmp_path: Path):
    with pytest.raises(DataError, match="cannot be read"):
        filed_poses(tmp_path / "none.json", coco)
    with pytest.raises(DataError, match="NAME_keypoints"):
        filed_poses(tmp_path, coco)


def test_the_command_line_scores_and_compares(lsp, tmp_path: Path, capsys):
    write_poses(tmp_path / "good.json", lsp, _near(lsp, LSP14, 0.0))
    write_poses(tmp_path / "bad.json", lsp, [replace(p, xy_px=p.xy_px + 99) for p in _near(lsp, LSP14, 0.0)])
    data = ["--data", f"lsp:{tmp_path / 'lsp'}"]
    words = ["eval", "--poses", str(tmp_path / "good.json"), *data, "--against", str(tmp_path / "bad.json")]
    assert main([*words, "--json"]) == 0
    held = json.loads(capsys.readouterr().out)
    assert held["metrics"]["PCK@0.2"] == 1
    assert held["made"]["against"] == str(tmp_path / "bad.json")
    again = shlex.split(held["made"]["command"])
    assert again == ["marey", *words[:-2], "--split", "all", *words[-2:]]
    for name in ("PCK@0.2", "PCK@0.1", "PCK@0.2/12", "PCK@0.1/12"):
        assert held["tables"]["against"][name]["difference"] == 1
    assert main(["eval", *data]) == 2
    assert main(["eval", "default", "--poses", "x.json", *data]) == 2
    assert main(["eval", "default", "--against", "x.json", *data]) == 2
