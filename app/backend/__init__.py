"""Clients of LM Studio: HTTP, the `lms` command and its log streams. Nothing above this package names httpx."""
