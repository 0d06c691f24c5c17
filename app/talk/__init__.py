"""The chat's room: holds the conversation, sends it, keeps it; the pane shows it."""
