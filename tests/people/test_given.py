"""Boxes from elsewhere arrive as they are, and are followed where nobody did."""

import json
from pathlib import Path

import numpy as np
import pytest

from marey.core.errors import DataError
from marey.core.nouns import Frame
from marey.people.given import Given, ahead, read_boxes, stage


def _frames(count: int):
    return (Frame(k, k / 25, np.full((120, 160, 3), 90, np.uint8)) for k in range(count))


def test_motchallenge_text(tmp_path: Path) -> None:
    path = tmp_path / "boxes.txt"
    path.write_text("2,7,11,21,30,40,0.5,-1,-1,-1\n1,7,9,20,30,40,1,-1,-1,-1\n1,3,80,5,10,20,1,-1,-1,-1\n")
    people = list(stage(_frames(3), Given(str(path))))
    assert [p.ids.tolist() for p in people] == [[3, 7], [7], []]
    assert people[1].boxes_px.tolist() == [[10, 20, 40, 60]]
    assert people[1].scores.tolist() == [0.5]


def test_csv_with_our_columns(tmp_path: Path) -> None:
    path = tmp_path / "boxes.csv"
    path.write_text(
        "frame,time_s,person,x0_px,y0_px,x1_px,y1_px,score\n0,0,1,1.5,2,3,4,\n2,0.1,1,2,2,3,4,0.25\n"
    )
    people = list(stage(_frames(3), Given(str(path))))
    assert [len(p) for p in people] == [1, 0, 1]
    assert people[0].boxes_px.tolist() == [[1.5, 2, 3, 4]]
    assert [p.scores.tolist() for p in people] == [[1], [], [0.25]]


def test_boxes_without_ids_are_followed(tmp_path: Path) -> None:
    path = tmp_path / "boxes.txt"
    lines = [f"{k + 1},-1,{10 + 2 * k},20,30,60,1" for k in range(20)]
    lines += [f"{k + 1},-1,{110 - k},20,30,60,1" for k in range(20)]
    path.write_text("\n".join(lines))
    people = list(stage(_frames(20), Given(str(path))))
    assert {tuple(p.ids.tolist()) for p in people} == {(1, 2)}


def test_ground_truth_of_motchallenge_without_what_does_not_count(tmp_path: Path) -> None:
    """Score 0 marks what a benchmark ignores, classes other than 1 are no pedestrians."""
    path = tmp_path / "gt.txt"
    path.write_text("1,1,11,21,30,40,1,1,0.8\n1,2,11,21,30,40,0,1,0.8\n1,3,11,21,30,40,1,7,0.8\n")
    assert read_boxes(path).ids.tolist() == [1]


def test_what_we_export_comes_back(tmp_path: Path) -> None:
    """MOTChallenge text counts pixels from 1, so a box at the image's corner begins at 1."""
    path = tmp_path / "boxes.txt"
    path.write_text("1,1,1.0000,1.0000,30.0000,40.0000,0.9000,-1,-1,-1\n")
    assert read_boxes(path).boxes_px.tolist() == [[0, 0, 30, 40]]


def test_coco_results(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    box = {"image_id": 2, "category_id": 1, "bbox": [10.5, 20, 30, 40], "score": 0.75}
    path.write_text(json.dumps([box | {"person": 4}, box | {"category_id": 3, "person": 5}]))
    people = list(stage(_frames(3), Given(str(path))))
    assert [p.ids.tolist() for p in people] == [[], [], [4]]
    assert people[2].boxes_px.tolist() == [[10.5, 20, 40.5, 60]]
    assert people[2].scores.tolist() == [0.75]


def test_coco_annotations_in_order_of_their_pictures(tmp_path: Path) -> None:
    path = tmp_path / "annotations.json"
    pictures = [{"id": 70, "file_name": "10.jpg"}, {"id": 80, "file_name": "9.jpg"}]
    boxes = [
        {"image_id": k, "category_id": 1, "bbox": [k, 0, 9, 9], "track_id": 1, "keypoints": []}
        for k in (70, 80)
    ]
    path.write_text(json.dumps({"images": pictures, "annotations": boxes}))
    found = read_boxes(path)
    assert found.frame.tolist() == [0, 1]
    assert found.boxes_px[:, 0].tolist() == [80, 70]


def test_no_box_is_dropped_for_its_score_or_for_being_alone(tmp_path: Path) -> None:
    path = tmp_path / "boxes.txt"
    lines = [f"{k + 1},-1,11,21,30,60,0.05" for k in range(10)] + ["4,-1,101,21,30,60,-0.3"]
    path.write_text("\n".join(lines))
    people = list(stage(_frames(10), Given(str(path))))
    assert [len(p) for p in people] == [1, 1, 1, 2, 1, 1, 1, 1, 1, 1]


def test_boxes_on_every_fifth_frame_are_interpolated(tmp_path: Path) -> None:
    path = tmp_path / "boxes.txt"
    path.write_text("\n".join(f"{k + 1},-1,{11 + 2 * k},21,30,60,1" for k in range(0, 40, 5)))
    people = list(stage(_frames(36), Given(str(path))))
    assert [p.ids.tolist() for p in people] == [[1]] * 36
    np.testing.assert_allclose([p.boxes_px[0, 0] for p in people], 10 + 2 * np.arange(36), atol=1e-4)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("boxes.txt", "1,2,3\n", "line 1 is not a box"),
        ("boxes.csv", "frame,person\n0,1\n", "line 2 is not a box .*x0_px"),
        ("boxes.json", '[{"image_id": 1}]', "line 1 is not a box .*bbox"),
        ("boxes.json", '{"image_id": 1}', "neither COCO results"),
        ("boxes.json", "[1, 2]", "not a list of objects"),
        ("boxes.json", "[", "boxes cannot be read"),
        ("boxes.txt", "1,1,0,0,nan,1,1\n", "no finite number"),
        ("boxes.txt", "1,1,0,0,1,1,1\n1,1,5,0,1,1,1\n", "person 1 has two boxes on frame 0"),
    ],
)
def test_what_is_no_box_is_named(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=said):
        read_boxes(tmp_path / name)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="check the path after boxes:"):
        read_boxes(tmp_path / "none.txt")


def test_the_future_needed_is_stated(tmp_path: Path) -> None:
    named, nameless = tmp_path / "named.csv", tmp_path / "nameless.csv"
    named.write_text("frame,person,x0_px,y0_px,x1_px,y1_px\n0,1,0,0,9,9\n")
    nameless.write_text(
        "frame,x0_px,y0_px,x1_px,y1_px\n" + "".join(f"{k},0,0,9,9\n" for k in range(0, 30, 5))
    )
    assert ahead(Given(str(named))) == 0
    assert ahead(Given(str(nameless))) >= 5  # a box between two looked-at frames needs the second
