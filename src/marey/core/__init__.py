"""The ground floor: nouns, skeletons, geometry, cameras, recordings, settings and errors."""
