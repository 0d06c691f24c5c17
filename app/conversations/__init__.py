"""A conversation's way out and back: the next request, the answer's record, files that go along, exports."""
