"""Synthetic video of people with exact truth: `marey synth` (extra `synth`).

Read in this order: `assets` (the base person), `body` (a person's shape, posed), `turns`, `motion`, `takes`,
`gestures`, `ground` (how people move), `look`, `figure` (how they are dressed), `backdrop`, `shots`, `scene`
(who is where, seen from where), `gpu`, `lens` (pictures), `truth`, `record`, `clip` (files), `bench`.
"""
