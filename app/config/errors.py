"""What is wrong with a setting."""


class ConfigError(Exception):
    """One sentence for the user: which setting is wrong and what to do. Never holds a secret."""
