"""lmdeck: the terminal deck for LM Studio."""

__version__ = "0.1.0"
