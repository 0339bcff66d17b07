"""Who is who through clips: ids reach the metrics, ignored is what must be, swaps cost what they must."""

import importlib.util
import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import data_trees_video as trees
from marey.cli import main
from marey.core.errors import DataError, SettingsError
from marey.core.history import History, Source
from marey.core.nouns import no_looks
from marey.core.recording import Recording
from marey.core.rows import Rows
from marey.core.skeletons import MAREY19, POSETRACK18
from marey.data.sample import Sample, State, people
from marey.evaluation.evaluate import evaluate
from marey.evaluation.filed import filed_poses, write_poses
from marey.evaluation.measure import Posed
from marey.evaluation.poses import compare_poses, judge_poses
from marey.metrics import tracking
from metrics import judges, reference_tracking

SHAPE = np.stack([np.arange(17) % 5 * 12.0, np.arange(17) * 9.0], 1)
"""A person 48 × 144 px; two stand 200 px apart."""


def clip(
    name: str = "a", frames: int = 10, who: Sequence[int] = (3, 5), kind: str = "posetrack18"
) -> list[Sample]:
    """People with these ids, walking slowly to the right; the ears are not labelled, as in PoseTrack."""
    made = []
    for k in range(frames):
        xy = np.array([SHAPE + np.array([60 + 200 * n + k, 40]) for n in range(len(who))]).reshape(-1, 17, 2)
        state = np.full(xy.shape[:2], State.VISIBLE)
        state[:, [POSETRACK18.index("left_ear"), POSETRACK18.index("right_ear")]] = State.UNLABELLED
        truth = people(POSETRACK18, xy, state)
        heads = np.full(len(who), 20, np.float32)
        truth = replace(truth, ids=np.array(who, np.int64).reshape(-1), head_px=heads)
        made.append(Sample(kind, f"{name}/{k:06d}", name, (640, 240), truth, lambda: np.zeros((240, 640, 3))))
    return made


def found(samples: Sequence[Sample], swap_at: int = 99, off: float = 0.0) -> list[Posed]:
    """Everybody where they are, `off` px to the right; from frame `swap_at` on two exchange ids."""
    posed = []
    for k, sample in enumerate(samples):
        convert = sample.truth.skeleton.converter(MAREY19)
        xy = np.nan_to_num(convert(sample.truth.xy_px)) + np.float32([off, 0])
        ids = sample.truth.ids + 10
        ones = np.ones(len(xy), np.float32)
        ids = ids[::-1].copy() if k >= swap_at else ids
        scores = np.full(xy.shape[:2], 0.9, np.float32)
        posed.append(Posed(MAREY19, sample.truth.boxes_px, ones, xy, scores, ids=ids))
    return posed


def people_figures(samples: Sequence[Sample], posed: Sequence[Posed]) -> dict[str, float]:
    return judge_poses("tracks", samples, posed).metrics


def test_perfect_tracks_and_their_protocol():
    samples = [*clip("a"), *clip("b", 4, (1,))]
    held = judge_poses("tracks", samples, found(samples))
    for name in ("HOTA", "DetA", "AssA", "LocA", "MOTA", "MOTP", "IDF1"):
        assert held.metrics[name] == pytest.approx(1)
    assert held.items == 24
    assert held.protocol["clips"] == 2
    assert held.protocol["frames"] == 14
    assert set(held.tables["by_clip"]) == {"a", "b"}
    assert "left_ear" in held.protocol["joints"]
    assert held.intervals["HOTA"] == (pytest.approx(1), pytest.approx(1))
    assert judge_poses("tracks", samples[:10], found(samples[:10])).intervals == {}


def test_a_swap_costs_what_it_costs():
    """Two people on ten frames, exchanged after five: two switches in twenty, half of each track is right."""
    samples = clip()
    held = people_figures(samples, found(samples, 5))
    assert held["switches"] == 2
    assert held["MOTA"] == pytest.approx(1 - 2 / 20)
    assert held["IDF1"] == pytest.approx(10 / 20)
    assert held["AssA"] == pytest.approx(5 / 15)  # 5 together, 10 + 10 − 5 apart
    assert held["HOTA"] == pytest.approx(math.sqrt(1 / 3))
    joints = judge_poses("posetrack-tracks", samples, found(samples, 5))
    assert joints.metrics["MOTA"] == pytest.approx(1 - 2 / 20)
    assert joints.metrics["MOTA_server"] == pytest.approx(1 - 2 / 18)  # it leaves the last frame out
    assert joints.metrics["recall"] == joints.metrics["precision"] == pytest.approx(1)


@pytest.mark.parametrize("protocol", ["tracks", "posetrack-tracks"])
def test_names_of_ids_do_not_matter(protocol: str):
    samples = clip()
    posed = found(samples, 5)
    names = {13: 900, 15: 2}
    others = [replace(p, ids=np.array([names[i] for i in p.ids.tolist()])) for p in posed]
    turned = [replace(s, truth=replace(s.truth, ids=1000 - s.truth.ids)) for s in samples]
    first = judge_poses(protocol, samples, posed).metrics
    assert judge_poses(protocol, turned, others).metrics == pytest.approx(first, nan_ok=True)


def read_slowly(samples: Sequence[Sample], posed: Sequence[Posed]) -> list[tuple]:
    """Ids of truth and estimate, and OKS by its formula, joint by joint."""
    sigma = dict(zip(MAREY19.joints, MAREY19.sigmas or (), strict=True)) | {"head_bottom": 0.079}
    frames = []
    for k, (sample, one) in enumerate(zip(samples, posed, strict=True)):
        truth = sample.truth
        alike = []
        for person in range(len(truth)):
            x0, y0, x1, y1 = truth.boxes_px[person].tolist()
            area = 0.53 * (x1 - x0) * (y1 - y0)
            row = []
            for guess in one.xy_px:
                near = []
                for j, name in enumerate(POSETRACK18.joints):
                    if truth.labelled[person, j]:
                        at = guess[MAREY19.index("neck" if name == "head_bottom" else name)]
                        far = float(((at.astype(float) - truth.xy_px[person, j]) ** 2).sum())
                        near.append(math.exp(-far / (2 * area * (2 * sigma[name]) ** 2)))
                row.append(sum(near) / len(near))
            alike.append(row)
        ids = [i if i >= 0 else -1000 * (k + 1) + i for i in one.ids.tolist()]
        frames.append((truth.ids.tolist(), ids, alike))
    return frames


def loose_tracks() -> tuple[list[Sample], list[Posed]]:
    """Everybody 7 px off, exchanged after four frames, followed by nobody on one."""
    samples = clip(frames=8)
    posed = found(samples, 4, off=7.0)
    posed[2] = replace(posed[2], ids=np.array([-1, -2]))
    return samples, posed


def test_figures_are_those_of_a_slow_reader():
    """HOTA and CLEAR MOT by the transcriptions that the metrics are held to."""
    samples, posed = loose_tracks()
    plain, held = read_slowly(samples, posed), people_figures(samples, posed)
    assert 0.3 < held["MOTP"] < 0.95
    for name, value in reference_tracking.hota(plain).items():
        assert held[name] == pytest.approx(value, abs=1e-6)
    assert held["switches"] == reference_tracking.clear(plain)["switches"]


def test_figures_are_those_of_trackeval():
    if importlib.util.find_spec("trackeval") is None:
        pytest.skip("no TrackEval here; `python tools/metric_parity.py` fetches it into build/judges")
    samples, posed = loose_tracks()
    frames = [
        tracking.Frame(np.array(truths), np.array(ids), np.array(alike))
        for truths, ids, alike in read_slowly(samples, posed)
    ]
    held = people_figures(samples, posed)
    for name, value in judges.trackeval_scores([frames]).items():
        assert held[name] == pytest.approx(value, abs=1e-6), name


def test_people_nobody_followed_are_new_on_every_frame():
    samples = clip(who=(3,))
    posed = found(samples)
    posed[1:] = [replace(one, ids=np.array([-1])) for one in posed[1:]]
    held = people_figures(samples, posed)
    assert held["switches"] == 9
    assert held["IDF1"] == pytest.approx(1 / 10)


def test_ghosts_and_frames_without_truth():
    """Six frames of two people, then four of nobody, on which both are still seen: eight false alarms."""
    samples = [*clip(frames=6), *[replace(s, truth=people(POSETRACK18, *_nobody())) for s in clip()[6:]]]
    posed = found(clip())
    held = people_figures(samples, posed)
    assert held["MOTA"] == pytest.approx(1 - 8 / 12)
    assert held["DetPr"] == pytest.approx(12 / 20)
    joints = judge_poses("posetrack-tracks", samples, posed).metrics
    assert joints["MOTA"] == pytest.approx(1 - 8 / 12)
    assert joints["MOTA_server"] == pytest.approx(1)  # it drops such frames, and what was said on them


def test_clips_without_anybody_change_nothing():
    samples = clip()
    empty = [
        replace(s, clip="b", name=f"b/{k}", truth=people(POSETRACK18, *_nobody()))
        for k, s in enumerate(samples)
    ]
    posed = found(samples, 5)
    blank = [replace(p, **_cut(p, np.zeros(2, bool))) for p in posed]
    first, second = people_figures(samples, posed), people_figures([*samples, *empty], [*posed, *blank])
    assert second == pytest.approx(first)


def test_nothing_counts_in_an_ignore_region():
    samples = clip()
    left = np.array([[0, 0], [200, 0], [200, 240], [0, 240.0]])
    masked = [replace(s, regions_px=(left,)) for s in samples]
    alone = [replace(p, **_cut(p, np.array([True, False]))) for p in found(samples)]  # only who is ignored
    held = judge_poses("tracks", masked, alone)
    assert held.items == 10
    assert held.metrics["MOTA"] == 0  # the other is missed, nobody is a false alarm
    assert people_figures(masked, found(samples))["MOTA"] == pytest.approx(1)
    joints = judge_poses("posetrack-tracks", masked, found(samples)).metrics
    assert joints["MOTA"] == pytest.approx(1)


def test_somebody_to_be_ignored_costs_nothing_and_excuses_nobody_else():
    samples = [replace(s, truth=replace(s.truth, ignore=np.array([True, False]))) for s in clip()]
    assert people_figures(samples, found(samples))["MOTA"] == pytest.approx(1)
    far = [replace(p, xy_px=p.xy_px + np.float32([0, 500])) for p in found(samples)]
    both = [
        replace(
            p, xy_px=np.concatenate([p.xy_px, q.xy_px]), scores=np.concatenate([p.scores] * 2),
            boxes_px=np.concatenate([p.boxes_px] * 2), box_scores=np.ones(4, np.float32),
            ids=np.concatenate([p.ids, p.ids + 50]),
        )
        for p, q in zip(found(samples), far, strict=True)
    ]  # fmt: skip
    assert people_figures(samples, both)["MOTA"] == pytest.approx(1 - 20 / 10)


def test_what_does_not_say_who_is_who_is_refused():
    samples = clip()
    with pytest.raises(DataError, match="who is who"):
        judge_poses("tracks", samples, [replace(p, ids=None) for p in found(samples)])
    with pytest.raises(DataError, match="coco"):
        judge_poses("tracks", clip(kind="coco"), found(samples))


def test_weak_joints_left_out_lower_false_alarms():
    samples = clip()
    posed = found(samples)
    posed = [replace(p, xy_px=p.xy_px + np.float32([80, 0]), scores=p.scores * 0 + 0.25) for p in posed]
    held = judge_poses("posetrack-tracks", samples, posed)
    assert held.metrics["MOTA"] == pytest.approx(-1)  # all missed, all false
    assert held.tables["MOTA_by_least_joint_score"]["0.3"] == pytest.approx(0)
    assert held.protocol["least_joint_score"] == 0


def test_tracks_are_compared_clip_by_clip():
    samples = [*clip("a"), *clip("b")]
    table = compare_poses("tracks", samples, found(samples), [*found(clip("a"), 5), *found(clip("b"), 5)])
    assert table["MOTA"]["difference"] == pytest.approx(0.1)
    assert table["MOTA"]["better"] == 1


def test_posetrack_files_keep_ids_and_videos_apart(tmp_path: Path):
    """Two videos whose pictures are called alike: the people of one are not looked for in the other."""
    samples = [*clip("a", 4), *clip("b", 4)]
    posed = [*found(clip("a", 4)), *found(clip("b", 4), 2)]
    folder = tmp_path / "all"
    folder.mkdir()
    for video in ("a", "b"):
        images, notes = [], []
        for k, (sample, one) in enumerate(zip(samples, posed, strict=True)):
            if sample.clip == video:
                images.append({"id": k, "file_name": f"images/val/{sample.name}.jpg"})
                xy = MAREY19.converter(POSETRACK18)(one.xy_px)
                for joints, person in zip(xy, one.ids.tolist(), strict=True):
                    triples = [v for x, y in joints.tolist() for v in (x - 0.5, y - 0.5, 1.0)]
                    notes.append(
                        {"image_id": k, "keypoints": triples, "scores": [0.5] * 17, "track_id": person}
                    )
        (folder / f"{video}.json").write_text(json.dumps({"images": images, "annotations": notes}))
    read = filed_poses(folder, samples)
    assert [p.ids.tolist() for p in read] == [p.ids.tolist() for p in posed]
    assert people_figures(samples, read)["switches"] == 2
    assert read[0].scores.max() == pytest.approx(0.5)
    only = filed_poses(folder / "a.json", samples)
    assert [len(p.xy_px) for p in only] == [2] * 4 + [0] * 4


def test_ids_survive_being_written(tmp_path: Path):
    samples = clip()
    posed = found(samples, 5)
    posed[0] = replace(posed[0], ids=np.array([-1, 15]))
    write_poses(tmp_path / "p.json", samples, posed)
    read = filed_poses(tmp_path / "p.json", samples)
    assert [p.ids.tolist() for p in read] == [p.ids.tolist() for p in posed]


def test_a_recording_for_every_clip(tmp_path: Path):
    samples = [*clip("a", 4), *clip("b", 3)]
    for video in ("a", "b"):
        held = [s for s in samples if s.clip == video]
        _save(held, found(held, 2), tmp_path / f"{video}.marey")
    read = filed_poses(tmp_path, samples)
    assert [p.ids.tolist() for p in read[:4]] == [[13, 15], [13, 15], [13, 15], [13, 15]]
    held = judge_poses("tracks", samples, read)
    assert held.metrics["switches"] == 4
    with pytest.raises(DataError, match="has 3 frames, the data 2"):
        filed_poses(tmp_path, samples[:-1])


def test_a_whole_run_on_clips_without_anybody(tmp_path: Path):
    """Three grey frames, and a truth that says somebody is there on two: two misses, and no more."""
    trees.recordings(tmp_path)
    done = evaluate("fast", f"recordings:{tmp_path}", protocol="tracks")
    assert done.metrics["MOTA"] == 0
    assert done.items == 2
    assert done.protocol["frames"] == 3
    assert done.made["find"]["weights"]
    assert done.made["estimate"]["method"] == "baseline"
    with pytest.raises(SettingsError, match="give find"):
        evaluate("fast", f"recordings:{tmp_path}", protocol="tracks", boxes="truth")


def test_a_file_of_tracks_on_the_command_line(tmp_path: Path, capsys):
    """A recording beside itself, and beside one in which its person is two."""
    trees.recordings(tmp_path)
    recording = Recording.open(tmp_path / "walk.marey")
    rows = replace(recording.rows, person=np.array([1, 2]))
    (tmp_path / "other").mkdir()
    recording.with_rows(rows).save(tmp_path / "other" / "walk.marey")
    words = ["--data", f"recordings:{tmp_path}", "--protocol", "tracks", "--json"]
    assert main(["eval", "--poses", str(tmp_path / "walk.marey"), *words]) == 0
    held = json.loads(capsys.readouterr().out)
    assert held["metrics"]["HOTA"] == held["metrics"]["IDF1"] == 1
    assert main(["eval", "--poses", str(tmp_path / "other"), *words]) == 0
    held = json.loads(capsys.readouterr().out)
    assert held["metrics"]["MOTA"] == 0.5
    assert held["metrics"]["switches"] == 1
    assert held["made"]["command"].startswith(f"marey eval --poses {tmp_path / 'other'} --data recordings:")


def _save(samples: list[Sample], posed: list[Posed], folder: Path) -> None:
    frames = [np.full(len(p.xy_px), k, np.int64) for k, p in enumerate(posed)]
    xy = np.concatenate([p.xy_px for p in posed])
    count = len(xy)
    rows = Rows(
        frame=np.concatenate(frames), time_s=np.concatenate(frames) * 0.04,
        person=np.concatenate([p.ids for p in posed]), boxes_px=np.concatenate([p.boxes_px for p in posed]),
        box_scores=np.ones(count, np.float32), looks=no_looks(count), xy_px=xy,
        scores=np.ones(xy.shape[:2], np.float32), origin=np.zeros(xy.shape[:2], np.uint8),
        edits=np.zeros(xy.shape[:2], np.uint8), raw_xy_px=xy,
    )  # fmt: skip
    times = np.arange(len(samples))
    Recording.of(rows, times, times * 0.04, History(MAREY19, Source("v.mp4", (640, 240)))).save(folder)


def _nobody() -> tuple[np.ndarray, np.ndarray]:
    return np.zeros((0, 17, 2)), np.zeros((0, 17), int)


def _cut(one: Posed, keep: np.ndarray) -> dict[str, np.ndarray]:
    names = ("boxes_px", "box_scores", "xy_px", "scores", "ids")
    return {name: getattr(one, name)[keep] for name in names}
