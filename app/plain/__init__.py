"""The commands without the screen, for scripts and plain terminals: one frame, and a module a command."""
