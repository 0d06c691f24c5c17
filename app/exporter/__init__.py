"""`lmdeck exporter`: what the deck knows, for Prometheus."""
