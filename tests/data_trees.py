"""Miniature data sets in their official layout, drawn with numbers that are easy to check."""

import json
from pathlib import Path

import cv2
import numpy as np
import scipy.io

SIZE = (60, 40)


def picture(path: Path, size: tuple[int, int] = SIZE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    shade = np.arange(size[0] * size[1] * 3, dtype=np.int64).reshape(size[1], size[0], 3) % 251
    assert cv2.imwrite(str(path), shade.astype(np.uint8))


def lsp(path: Path, count: int = 2000, held: tuple[int, ...] = (1, 2, 801, 1001)) -> Path:
    """LSP with pictures and labels for the people numbered in `held`."""
    joints = np.full((3, 14, count), np.nan)
    for number in held:
        joints[0, :, number - 1] = np.arange(14) + 1
        joints[1, :, number - 1] = number % 7 + np.arange(14) * 2
        joints[2, :, number - 1] = np.arange(14) == 3
        picture(path / "images" / f"im{number:04d}.jpg")
    scipy.io.savemat(path / "joints.mat", {"joints": joints})
    return path


def lspet(path: Path) -> Path:
    """LSPET: person 1 with joint 0 not labelled, person 3 with nothing labelled, the rest left out."""
    joints = np.full((14, 3, 5), np.nan)
    for k, labelled in ((0, np.arange(14) > 0), (2, np.zeros(14, bool))):
        joints[:, :2, k] = np.arange(28).reshape(14, 2) + 1
        joints[:, 2, k] = labelled
        picture(path / "images" / f"im{k + 1:05d}.jpg")
    scipy.io.savemat(path / "joints.mat", {"joints": joints})
    return path


JHMDB_CLIPS = (("clap", "Some_video_clap_u_nm_np1_fr_med_0"), ("run", "Other_one_run_f_cm_np1_ri_med_1"))


def jhmdb(path: Path, frames: int = 3) -> Path:
    """Official JHMDB: two clips, the mask a rectangle moving right by a pixel a frame."""
    for action, clip in JHMDB_CLIPS:
        tracks = np.stack([np.arange(15) * 10 + 100.0, np.arange(15) * 5 + 50.0])[:, :, None]
        tracks = tracks + np.arange(frames) * [[[1]], [[0]]]
        tracks[:, 14, 0] = (330, 100)
        mask = np.zeros((240, 320, frames), np.uint8)
        for k in range(frames):
            mask[40:140, 90 + k : 260 + k, k] = 1
            picture(path / "Rename_Images" / action / clip / f"{k + 1:05d}.png", (320, 240))
        for folder, field, held in (
            ("joint_positions", "pos_img", tracks),
            ("puppet_mask", "part_mask", mask),
        ):
            target = path / folder / action / clip
            target.mkdir(parents=True)
            scipy.io.savemat(target / f"{folder}.mat", {field: held})
    return path


def jhmdb_sub(path: Path) -> Path:
    """The same with official lists: in every split the first clip trains, the second tests."""
    jhmdb(path)
    for action, clip, part in ((*JHMDB_CLIPS[0], 1), (*JHMDB_CLIPS[1], 2)):
        for number in (1, 2, 3):
            for folder in ("splits", "sub_splits"):
                file = path / folder / f"{action}_test_split{number}.txt"
                file.parent.mkdir(exist_ok=True)
                file.write_text(f"{clip}.avi {part}\nanother_{action}_one.avi 0\n")
    return path


def note(number: int, image: int, box: list[float], posed: bool = True, **more: object) -> dict[str, object]:
    """One COCO annotation; keypoint j at whole pixel (j, 2j), the first occluded, the last not labelled."""
    joints = np.stack([np.arange(17), np.arange(17) * 2, np.full(17, 2)], 1)
    joints[0, 2] = 1
    joints[16] = 0
    joints = joints * posed
    return {
        "id": number, "image_id": image, "category_id": 1, "iscrowd": 0, "bbox": box, "area": 100.0,
        "num_keypoints": 16 * posed, "keypoints": joints.reshape(-1).tolist(), **more,
    }  # fmt: skip


def coco(path: Path, part: str, notes: list[dict[str, object]], images: tuple[int, ...] = (7, 21)) -> Path:
    """COCO with the given annotations; (7 // 7) % 5 is 1: validation; (21 // 7) % 5 is not."""
    held = [{"id": k, "file_name": f"{k:012d}.jpg", "width": SIZE[0], "height": SIZE[1]} for k in images]
    for image in held:
        picture(path / part / str(image["file_name"]))
    file = path / "annotations" / f"person_keypoints_{part}.json"
    file.parent.mkdir(exist_ok=True, parents=True)
    file.write_text(json.dumps({"images": held, "annotations": notes, "categories": []}))
    return path


def pennfudan(path: Path) -> Path:
    """Official Penn-Fudan: one picture of two people."""
    picture(path / "PNGImages" / "FudanPed00001.png")
    mask = np.zeros(SIZE[::-1], np.uint8)
    mask[5:20, 3:9] = 1
    mask[10:40, 30:60] = 2
    (path / "PedMasks").mkdir()
    assert cv2.imwrite(str(path / "PedMasks" / "FudanPed00001_mask.png"), mask)
    return path


def negatives(path: Path) -> Path:
    for number in (615, 1425, 1427):
        picture(path / f"inria-{number:05d}.jpg")
    return path
