"""Pixels in and out: reading, writing and drawing on video. Time is born here."""
