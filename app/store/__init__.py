"""What lmdeck keeps on this machine, in SQLite."""
