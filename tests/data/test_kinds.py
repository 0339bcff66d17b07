"""Every kind on a miniature tree in its official layout; broken trees say what is wrong."""

import json
import re
import tomllib
from pathlib import Path

import cv2
import numpy as np
import pytest
import scipy.io

import data_trees as trees
from data_miniatures import MAKE
from marey.cli import main
from marey.core.errors import DataError
from marey.core.skeletons import LSP14
from marey.data import KINDS, SPLITS, open_kind
from marey.data.jhmdb import source
from marey.data.sample import State


@pytest.mark.parametrize("kind", MAKE)
def test_every_kind_opens_and_decodes(kind: str, tmp_path: Path):
    samples = open_kind(kind, MAKE[kind](tmp_path), "all")
    names = [sample.name for sample in samples]
    assert len(names) == len(samples) == len(set(names)) > 0
    for sample in samples:
        assert sample.kind == kind
        assert np.isnan(sample.truth.xy_px[~sample.truth.labelled]).all()
        assert np.isfinite(sample.truth.xy_px[sample.truth.labelled]).all()
    assert samples[0].rgb().shape == (*samples[0].size[::-1], 3)
    assert [sample.name for sample in samples[1:]] == names[1:]
    assert samples[-1].name == names[-1]


def _names(kind: str, path: Path, split: str) -> set[str]:
    """The names in a split; none where the error says that this split is empty."""
    try:
        return {sample.name for sample in open_kind(kind, path, split)}
    except DataError as error:
        return {str(error)} if f"split `{split}`" not in str(error) else set()


@pytest.mark.parametrize("kind", MAKE)
def test_splits_part_the_set(kind: str, tmp_path: Path):
    MAKE[kind](tmp_path)
    held = {split: _names(kind, tmp_path, split) for split in SPLITS}
    parts = [held[split] for split in ("train", "val", "test")]
    assert sum(map(len, parts)) == len(set.union(*parts))
    assert set.union(*parts) <= held["all"]


def test_lsp_pixels_states_and_parts(tmp_path: Path):
    trees.lsp(tmp_path)
    first = open_kind("lsp", tmp_path, "train")[0].truth
    assert first.skeleton == LSP14
    # MATLAB's pixel 1 has its centre at 0.5 here.
    np.testing.assert_allclose(first.xy_px[0, 0], [0.5, 0.5])
    assert first.state[0].tolist() == [State.OCCLUDED if j == 3 else State.VISIBLE for j in range(14)]
    np.testing.assert_allclose(first.torso_px, np.hypot(9 - 2, 2 * (9 - 2)))
    np.testing.assert_allclose(first.boxes_px, [[0.5, 0.5, 13.5, 26.5]])
    names = {split: [s.name for s in open_kind("lsp", tmp_path, split)] for split in ("train", "val", "test")}
    assert names == {"train": ["im0001", "im0002"], "val": ["im0801"], "test": ["im1001"]}


def test_lspet_flag_means_labelled(tmp_path: Path):
    samples = open_kind("lspet", trees.lspet(tmp_path), "train")
    assert len(samples) == 1
    truth = samples[0].truth
    assert truth.labelled[0].tolist() == [False] + [True] * 13
    np.testing.assert_allclose(truth.xy_px[0, 1], [2.5, 3.5])


def test_jhmdb_official_tree(tmp_path: Path):
    samples = open_kind("jhmdb", trees.jhmdb(tmp_path), "all")
    assert len(samples) == 6
    first, second = samples[0], samples[1]
    np.testing.assert_allclose(first.truth.xy_px[0, 0], [99.5, 49.5])
    np.testing.assert_allclose(first.truth.boxes_px, [[90, 40, 260, 140]])
    np.testing.assert_allclose(second.truth.boxes_px, [[91, 40, 261, 140]])
    assert first.truth.state[0, 14] == State.OCCLUDED
    assert second.truth.state[0, 14] == State.VISIBLE
    assert (first.time_s, second.time_s) == (0, pytest.approx(1 / 30))
    assert first.clip == second.clip != samples[3].clip


def test_jhmdb_sources_are_not_split():
    assert source("run", "A_video_run_f_cm_np1_ri_med_1") == source("run", "A_video_run_f_nm_np1_le_med_7")


def test_coco_pixels_and_states(tmp_path: Path):
    trees.coco(
        tmp_path, "val2017", [trees.note(5, 7, [1, 2, 10, 20]), trees.note(6, 7, [30, 2, 9, 9], False)]
    )
    sample = open_kind("coco", tmp_path, "val")[0]
    truth = sample.truth
    # A keypoint is the index of a pixel; its centre lies half a pixel further. Boxes are edges already.
    np.testing.assert_allclose(truth.xy_px[0, 3], [3.5, 6.5])
    np.testing.assert_allclose(truth.boxes_px[0], [1, 2, 11, 22])
    assert truth.state[0, [0, 1, 16]].tolist() == [State.OCCLUDED, State.VISIBLE, State.UNLABELLED]
    assert not truth.labelled[1].any()
    assert truth.ids.tolist() == [5, 6]
    assert sample.boxed_all
    assert [s.name for s in open_kind("coco", tmp_path, "train")] == ["val2017/000000000021"]


def test_coco_without_lonely_boxes_has_lost_them(tmp_path: Path):
    trees.coco(tmp_path, "train2017", [trees.note(5, 7, [1, 2, 10, 20])])
    assert not any(sample.boxed_all for sample in open_kind("coco", tmp_path, "train"))


def test_coco_crowds(tmp_path: Path):
    group = trees.note(1, 7, [0, 0, 50, 30], posed=False)
    members = [trees.note(k, 7, [k * 5, 5, 4, 20]) for k in (2, 3)]
    alone = trees.note(9, 7, [50, 0, 9, 30], posed=False)
    trees.coco(tmp_path, "val2017", [group, *members, alone])
    assert open_kind("coco", tmp_path, "val")[0].truth.ignore.tolist() == [True, False, False, False]
    flagged = [group, *members, {**alone, "iscrowd": 1}]
    trees.coco(tmp_path, "val2017", flagged)
    assert open_kind("coco", tmp_path, "val")[0].truth.ignore.tolist() == [False, False, False, True]


def test_pennfudan_boxes(tmp_path: Path):
    sample = open_kind("pennfudan", trees.pennfudan(tmp_path))[0]
    np.testing.assert_allclose(sample.truth.boxes_px, [[3, 5, 9, 20], [30, 10, 60, 40]])
    assert sample.truth.xy_px.shape == (2, 0, 2)
    assert not sample.boxed_all


def test_negatives_hold_nobody(tmp_path: Path):
    held_back = open_kind("negatives", trees.negatives(tmp_path), "val")
    assert [sample.name for sample in held_back] == ["inria-01427"]
    assert len(held_back[0].truth) == 0
    assert held_back[0].boxed_all


def _no_labels(path: Path) -> None:
    (path / "joints.mat").unlink()


def _not_mat(path: Path) -> None:
    (path / "joints.mat").write_bytes(b"no MATLAB file")


def _wrong_field(path: Path) -> None:
    scipy.io.savemat(path / "joints.mat", {"points": np.zeros((3, 14, 5))})


def _wrong_shape(path: Path) -> None:
    scipy.io.savemat(path / "joints.mat", {"joints": np.zeros((14, 3, 5))})


def _no_picture(path: Path) -> None:
    (path / "images" / "im0801.jpg").unlink()


def _empty_picture(path: Path) -> None:
    (path / "images" / "im0801.jpg").write_bytes(b"")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_no_labels, ["joints.mat", "missing"]),
        (_not_mat, ["joints.mat", "not a MATLAB file"]),
        (_wrong_field, ["joints.mat", "`joints`"]),
        (_wrong_shape, ["joints.mat", "3 × 14 × any"]),
        (_no_picture, ["im0801.jpg", "column 801"]),
        (_empty_picture, ["im0801.jpg", "decoded"]),
    ],
)
def test_a_broken_lsp_says_what_is_wrong(spoil, words: list[str], tmp_path: Path):
    spoil(trees.lsp(tmp_path))
    with pytest.raises(DataError) as caught:
        [sample.rgb() for sample in open_kind("lsp", tmp_path, "val")]
    assert all(word in str(caught.value) for word in words)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", ["not JSON"]),
        ('{"images": []}', ["annotations"]),
        ("[]", ["person keypoints are expected"]),
    ],
)
def test_a_broken_coco_file_says_what_is_wrong(text: str, words: list[str], tmp_path: Path):
    trees.coco(tmp_path, "val2017", [])
    (tmp_path / "annotations" / "person_keypoints_val2017.json").write_text(text)
    with pytest.raises(DataError) as caught:
        open_kind("coco", tmp_path, "val")
    assert all(word in str(caught.value) for word in ["person_keypoints_val2017.json", *words])


def test_a_broken_coco_person_says_which_field(tmp_path: Path):
    held = trees.note(5, 7, [1, 2, 10, 20])
    trees.coco(tmp_path, "val2017", [{**held, "keypoints": [1, 2, 2]}])
    with pytest.raises(DataError, match=r"image 7: `keypoints`"):
        open_kind("coco", tmp_path, "val")[0]
    del held["area"]
    trees.coco(tmp_path, "val2017", [held])
    with pytest.raises(DataError, match=r"image 7: field 'area'"):
        open_kind("coco", tmp_path, "val")[0]


def test_a_mask_of_another_size_is_refused(tmp_path: Path):
    mask = trees.pennfudan(tmp_path) / "PedMasks" / "FudanPed00001_mask.png"
    assert cv2.imwrite(str(mask), np.zeros((10, 10), np.uint8))
    with pytest.raises(DataError, match=r"mask of 60×40 is expected"):
        open_kind("pennfudan", tmp_path)[0]


def test_a_clip_shorter_than_its_labels_is_refused(tmp_path: Path):
    action, clip = trees.JHMDB_CLIPS[0]
    (trees.jhmdb(tmp_path) / "Rename_Images" / action / clip / "00003.png").unlink()
    with pytest.raises(DataError, match=r"00003.png"):
        open_kind("jhmdb", tmp_path)[2].rgb()


def test_unknown_words_are_refused_with_a_hint(tmp_path: Path):
    with pytest.raises(DataError, match="did you mean `lspet`"):
        open_kind("lspett", tmp_path)
    with pytest.raises(DataError, match="split `valid`"):
        open_kind("lsp", tmp_path, "valid")
    with pytest.raises(DataError, match="no such folder"):
        open_kind("lsp", tmp_path / "nowhere")


def test_every_kind_has_a_miniature():
    assert set(KINDS) == set(MAKE)


def test_no_kind_knows_another():
    """The contract that keeps kinds apart names every file that opens one."""
    root = Path(__file__).parents[2]
    contracts = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    listed = next(c["modules"] for c in contracts if c["name"] == "Data kinds do not know each other")
    opens = {
        f"marey.data.{file.stem}"
        for file in (root / "src/marey/data").glob("*.py")
        if re.search(r"^def open\(", file.read_text(), re.MULTILINE)
    }
    assert opens == set(listed)
    assert {"marey.data.videos", "marey.data.recordings"} <= opens


@pytest.mark.parametrize("kind", MAKE)
def test_every_kind_is_described_checked_and_shown(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    where = f"{kind}:{MAKE[kind](tmp_path / 'set')}"
    assert main(["data", "describe", where, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kind"] == kind
    assert main(["data", "check", where]) == 0, capsys.readouterr().err
    assert main(["data", "preview", where, "--count", "2", "-o", str(tmp_path / "a.png")]) == 0
    assert cv2.imread(str(tmp_path / "a.png")).std() > 1


def test_numbers_survive_json(tmp_path: Path):
    """What is written as JSON floats comes back to float32's precision."""
    box = [1.25, 2.5, 10.75, 20.125]
    trees.coco(tmp_path, "val2017", [trees.note(5, 7, box)])
    held = json.loads((tmp_path / "annotations" / "person_keypoints_val2017.json").read_text())
    truth = open_kind("coco", tmp_path, "val")[0].truth
    np.testing.assert_array_equal(truth.boxes_px[0, :2], np.float32(held["annotations"][0]["bbox"][:2]))


@pytest.mark.data
def test_the_shared_sets(shared_data: Path):
    counts = {
        (kind, split): len(open_kind(kind, shared_data / kind, split))
        for kind, split in (("lsp", "val"), ("lsp", "train"), ("lspet", "train"), ("coco", "val"))
    }
    assert counts == {
        ("lsp", "val"): 200,
        ("lsp", "train"): 800,
        ("lspet", "train"): 9500,
        ("coco", "val"): 532,
    }
    train = {
        sample.clip.split("/")[0] for sample in open_kind("jhmdb", shared_data / "jhmdb", "train")[::100]
    }
    assert len(train) == 14
    assert len(open_kind("negatives", shared_data / "negatives", "val")) == 203
    compact = open_kind("pennfudan", shared_data / "pennfudan")[0]
    assert len(compact.truth) == 2
