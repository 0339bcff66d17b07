"""Synthetic video of people with exact truth: `marey synth` (extra `synth`)."""
