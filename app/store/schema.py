"""The tables of `history.db`, as scripts from each version (`PRAGMA user_version`) to the next."""

from typing import Final

MIGRATIONS: Final = (
    """
    CREATE TABLE loads (
        id INTEGER PRIMARY KEY,
        at REAL NOT NULL,
        server TEXT NOT NULL,
        machine TEXT NOT NULL,
        model_key TEXT NOT NULL,
        instance_id TEXT NOT NULL,
        settings TEXT NOT NULL,
        load_time_s REAL,
        predicted_gpu INTEGER,
        predicted_ram INTEGER,
        confidence TEXT NOT NULL,
        lmstudio_gpu INTEGER,
        lmstudio_total INTEGER,
        measured_gpu INTEGER,
        measured_ram INTEGER,
        allocated_context INTEGER,
        cause TEXT NOT NULL
    );
    CREATE INDEX loads_of_a_model ON loads (model_key, machine, at);
    CREATE TABLE presets (
        model_key TEXT NOT NULL,
        name TEXT NOT NULL,
        settings TEXT NOT NULL,
        PRIMARY KEY (model_key, name)
    );
    """,
)
"""Statements that each end with a semicolon at a line's end. A released one is never edited."""
