"""Downloads that were begun and not seen to their end, in `history.db`."""

import sqlite3
from contextlib import closing
from pathlib import Path

from lmdeck.backend.decode import number, text
from lmdeck.model.download import Download, DownloadReport
from lmdeck.store.rows import cell
from lmdeck.store.sql import told, transaction

KEPT_DOWNLOADS = 100

_OLD = "DELETE FROM downloads WHERE rowid IN (SELECT rowid FROM downloads ORDER BY at DESC LIMIT -1 OFFSET ?)"


class Downloads:
    """The jobs in an open database, by server. Everything blocks, and raises StoreError."""

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self._db, self._path = db, path

    def of(self, server: str) -> tuple[Download, ...]:
        """Those of one server, oldest first; how far they are is not known."""
        query = "SELECT * FROM downloads WHERE server = ? ORDER BY at"
        with told(self._path), closing(self._db.execute(query, (cell(server),))) as cursor:
            rows = [dict(row) for row in cursor]
        return tuple(
            Download(text(row["model"]) or "", text(row["quantization"]), number(row["at"]) or 0.0, _unheard(job_id))
            for row in rows
            if (job_id := text(row["job_id"]))
        )

    def keep(self, server: str, download: Download) -> None:
        """Keep a job; the oldest beyond `KEPT_DOWNLOADS` go."""
        names = (cell(server), cell(download.report.job_id))
        values = (*names, download.begun, cell(download.model), cell(download.quantization))
        with told(self._path), transaction(self._db):
            self._db.execute("INSERT OR REPLACE INTO downloads VALUES (?, ?, ?, ?, ?)", values)
            self._db.execute(_OLD, (KEPT_DOWNLOADS,))

    def drop(self, server: str, job_id: str) -> None:
        """Forget a job, if it is kept."""
        with told(self._path):
            self._db.execute("DELETE FROM downloads WHERE server = ? AND job_id = ?", (cell(server), cell(job_id)))


def _unheard(job_id: str) -> DownloadReport:
    return DownloadReport("asking …", job_id)
