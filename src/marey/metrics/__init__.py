"""Measures of quality: one file per family, opened by its conventions; `matching` is what two share."""
