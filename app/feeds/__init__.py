"""Sources as async iterators of events: interval, retry and batching live here."""
