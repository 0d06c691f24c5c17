"""The doctor: is every part that the deck needs there, and what is to be done where one is not."""
