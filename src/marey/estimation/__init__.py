"""What methods share: people cut out of frames, heat maps written and read."""
