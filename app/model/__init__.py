"""Frozen values that every layer may know."""
