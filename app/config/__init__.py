"""Settings: where they come from, the token, the platform's folders."""
