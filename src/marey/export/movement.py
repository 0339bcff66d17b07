"""movement's netCDF: `position` and `confidence` by time, space, keypoint and individual.

The layout of `Recording.to_xarray`, which is that of movement from 0.17 on (older ones call the last two
`keypoints` and `individuals`). Times are the recording's own seconds, so a variable rate is right; missing is
NaN. `movement` holds pixels, counted from whole-number centres as napari and the other trackers do (half a
pixel less than ours), `movement-3d` metres, Y up.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from marey.core.files import write_whole
from marey.core.recording import Recording

if TYPE_CHECKING:
    import xarray as xr


def write(recording: Recording, path: Path) -> None:
    """Write the file of places in the picture."""
    data = recording.to_xarray()
    data["position"] = data["position"] - 0.5
    _write(data.assign_attrs(space_unit="pixels"), path)


def write_metres(recording: Recording, path: Path) -> None:
    """Write the file of places in space."""
    _write(recording.to_xarray(metres=True).assign_attrs(space_unit="meters"), path)


def _write(data: "xr.Dataset", path: Path) -> None:
    write_whole(path, lambda draft: data.to_netcdf(draft, engine="h5netcdf"))
