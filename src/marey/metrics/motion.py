"""How smooth and how stable motion is, without a truth: jitter, bone lengths, feet on the ground, lag.

None of these has one agreed definition; these are ours unless a source is named, and are kept fixed. Each is
low for a figure that never moves, so print them beside an accuracy, and for raw and finished motion alike.
- `jitter`: mean size of the third difference × rate³ (length/s³), as AGRoL's code has it (Du et al., CVPR
  2023); other papers call a plain first difference jitter.
- `jitter_2d`: mean size of the second difference ÷ the height of the person's box × rate² (heights/s²).
- `still_rms`: of somebody who stands still, the root mean square distance from the mean place, px.
- `bone_variation`: standard deviation ÷ mean of a bone's length over time; a rigid body has 0.
- `foot_skate`: mean horizontal speed, mm/s, of feet in contact: under 50 mm above the ground and rising or
  falling at less than 200 mm/s. `penetration`: mean depth below the ground, mm (0 where above).
- `lag_s`: by how much motion must be moved to lie best on another, seconds; a filter's delay. The peak of
  the normalised cross-correlation of first differences, refined by a parabola.
A constant rate is assumed: resample motion of variable rate to one first. Missing: NaN; a difference that
needs a missing value is left out, and so is what is NaN throughout; where nothing is left the value is NaN.
Arrays: T frames, J joints, D dimensions; Y is up.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from marey.core.errors import DataError

CONTACT_MM = 50.0
CONTACT_MM_S = 200.0


def jitter(positions: Float[np.ndarray, "T J D"], rate_hz: float) -> float:
    """Mean size of the third difference, in length/s³."""
    return _mean_size(np.diff(positions.astype(np.float64), n=3, axis=0) * rate_hz**3)


def jitter_2d(xy: Float[np.ndarray, "T J 2"], heights_px: Float[np.ndarray, " T"], rate_hz: float) -> float:
    """Mean size of the second difference in heights of the person's box in its middle frame, per s²."""
    second = np.diff(xy.astype(np.float64), n=2, axis=0) * rate_hz**2
    return _mean_size(second / np.where(heights_px > 0, heights_px, np.nan)[1:-1, None, None])


def still_rms(xy: Float[np.ndarray, "T J D"]) -> float:
    """Root mean square distance of each joint from its own mean place."""
    total = np.maximum((~np.isnan(xy)).sum(0), 1)
    off = xy - np.nansum(xy, 0, dtype=np.float64) / total
    return float(np.sqrt(_mean((off**2).sum(-1))))


def bone_variation(
    positions: Float[np.ndarray, "T J D"], bones: Sequence[tuple[int, int]]
) -> Float[np.ndarray, " B"]:
    """Standard deviation ÷ mean of the length of each bone over time; NaN for one never seen."""
    ends = np.array(bones, np.int64).reshape(-1, 2)
    lengths = np.linalg.norm(positions[:, ends[:, 0]].astype(np.float64) - positions[:, ends[:, 1]], axis=-1)
    spread = [(_mean(bone), _mean((bone - _mean(bone)) ** 2)) for bone in lengths.T]
    return np.array([np.sqrt(square) / mean if mean > 0 else np.nan for mean, square in spread])


def foot_skate(feet_mm: Float[np.ndarray, "T F 3"], rate_hz: float, ground_mm: float = 0.0) -> float:
    """Mean horizontal speed of feet in contact, mm/s; a step counts if both its frames are low."""
    speed = np.diff(feet_mm.astype(np.float64), axis=0) * rate_hz
    height = np.maximum(feet_mm[1:, :, 1], feet_mm[:-1, :, 1]) - ground_mm
    contact = (height < CONTACT_MM) & (np.abs(speed[..., 1]) < CONTACT_MM_S)
    return _mean(np.linalg.norm(speed[..., (0, 2)], axis=-1)[contact])


def penetration(xyz_mm: Float[np.ndarray, "T J 3"], ground_mm: float = 0.0) -> float:
    """Mean depth below the ground, mm; joints above it count as 0."""
    return _mean(np.maximum(ground_mm - xyz_mm[..., 1], 0.0))


def lag_s(
    later: Float[np.ndarray, "T ..."],
    earlier: Float[np.ndarray, "T ..."],
    rate_hz: float,
    most_s: float = 1.0,
) -> float:
    """How far `later` is behind `earlier`, at most `most_s` either way; NaN if either never moves.

    Raises
    ------
    DataError
        If the two are not of one shape, or too short for this lag.
    """
    most = round(most_s * rate_hz)
    need = 2 * most + 3
    if later.shape != earlier.shape or len(later) < need:
        raise DataError(f"lag: {later.shape} and {earlier.shape}; give {need} or more frames, both alike")
    moves, before = (np.diff(x.astype(np.float64), axis=0).reshape(len(x) - 1, -1) for x in (later, earlier))
    likeness = np.array([_likeness(moves, before, shift) for shift in range(-most, most + 1)])
    if np.isnan(likeness).all():
        return float("nan")
    peak = int(np.nanargmax(likeness))
    return (peak - most + _vertex(likeness, peak)) / rate_hz


def _likeness(later: Float[np.ndarray, "T J"], earlier: Float[np.ndarray, "T J"], shift: int) -> float:
    """Cosine of the two, `later` taken `shift` frames on."""
    a = later[max(shift, 0) : len(later) + min(shift, 0)]
    b = earlier[max(-shift, 0) : len(earlier) - max(shift, 0)]
    both = np.isfinite(a) & np.isfinite(b)
    a, b = a[both], b[both]
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size > 0 else float("nan")


def _vertex(values: Float[np.ndarray, " N"], peak: int) -> float:
    """Where the parabola through a peak and its neighbours is highest, from the peak; 0 at the ends."""
    if not 0 < peak < len(values) - 1:
        return 0.0
    before, at, after = values[peak - 1 : peak + 2].tolist()
    bend = before - 2 * at + after
    return 0.5 * (before - after) / bend if bend < 0 else 0.0


def _mean(values: Float[np.ndarray, "..."]) -> float:
    """Mean of what is there; NaN if nothing is."""
    known = values[~np.isnan(values)]
    return float(known.mean(dtype=np.float64)) if known.size else float("nan")


def _mean_size(vectors: Float[np.ndarray, "... D"]) -> float:
    return _mean(np.linalg.norm(vectors, axis=-1))
