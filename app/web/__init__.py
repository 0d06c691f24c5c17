"""`lmdeck web`: the deck in a browser."""
