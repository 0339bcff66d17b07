"""From a video to its result folder: what is done, in which order, on which threads and processes."""
