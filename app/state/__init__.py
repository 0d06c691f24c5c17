"""The deck's state: frozen values, events, and one pure step from one to the next."""
