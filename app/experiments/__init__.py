"""Experiments on a live instance: is the context there, how does it scale."""
