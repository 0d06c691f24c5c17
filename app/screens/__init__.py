"""Screens and dialogs: they ask what must be asked and post intents."""
