"""Panes and controls, one a file. They know `lmdeck.model` and nothing of where data comes from."""
