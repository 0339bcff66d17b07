"""Lifting: 2D tracks to space: windows for networks, bones, places by reprojection, gravity."""
