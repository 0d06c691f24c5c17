"""Standard output of the commands that print until somebody has seen enough."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_CLOSED = (errno.EPIPE, errno.EINVAL)  # Windows says EINVAL


@contextmanager
def until_closed() -> Iterator[None]:
    """Ends quietly where the reader of standard output has gone (`lmdeck log | head`); what is still buffered then goes
    nowhere, so that Python's own flush at the exit finds nothing to complain about."""
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        if error.errno not in _CLOSED:
            raise
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
