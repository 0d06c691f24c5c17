"""The embedded LM Studio-compatible server, its engines and its `lms`."""
