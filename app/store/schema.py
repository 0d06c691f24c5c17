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
    """
    CREATE TABLE exchanges (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at REAL NOT NULL,
        server TEXT NOT NULL,
        instance_id TEXT NOT NULL,
        path TEXT NOT NULL,
        stop_reason TEXT,
        prompt_tokens INTEGER,
        predicted_tokens INTEGER,
        tokens_per_second REAL,
        ttft_s REAL,
        total_time_s REAL,
        draft_tokens INTEGER,
        accepted_draft_tokens INTEGER,
        error TEXT NOT NULL,
        certainty TEXT NOT NULL
    );
    CREATE INDEX exchanges_by_time ON exchanges (at);
    CREATE INDEX exchanges_of_an_instance ON exchanges (instance_id, at);
    CREATE TABLE exchange_texts (
        id INTEGER PRIMARY KEY,
        prompt TEXT NOT NULL,
        answer TEXT NOT NULL
    );
    CREATE TABLE exchange_days (
        date TEXT NOT NULL,
        server TEXT NOT NULL,
        instance_id TEXT NOT NULL,
        requests INTEGER NOT NULL,
        tokens_in INTEGER NOT NULL,
        tokens_out INTEGER NOT NULL,
        errors INTEGER NOT NULL,
        PRIMARY KEY (date, server, instance_id)
    ) WITHOUT ROWID;
    """,
    """
    CREATE TABLE conversations (
        id TEXT PRIMARY KEY,
        created REAL NOT NULL,
        changed REAL NOT NULL,
        pinned INTEGER NOT NULL,
        title TEXT NOT NULL,
        model TEXT NOT NULL,
        leaf TEXT,
        settings TEXT NOT NULL
    );
    CREATE INDEX conversations_by_time ON conversations (pinned, changed);
    CREATE TABLE turns (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        conversation TEXT NOT NULL,
        id TEXT NOT NULL,
        size INTEGER NOT NULL,
        text TEXT NOT NULL,
        record TEXT NOT NULL,
        UNIQUE (conversation, id)
    );
    CREATE INDEX turns_by_size ON turns (conversation, size);
    CREATE TABLE turn_files (
        turn INTEGER NOT NULL,
        position INTEGER NOT NULL,
        record TEXT NOT NULL,
        content TEXT NOT NULL,
        PRIMARY KEY (turn, position)
    );
    CREATE TABLE turns_to_index (number INTEGER PRIMARY KEY);
    CREATE TABLE drafts (
        key TEXT PRIMARY KEY,
        at REAL NOT NULL,
        text TEXT NOT NULL
    );
    CREATE TABLE prompts (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        text TEXT NOT NULL
    );
    CREATE TABLE chat_presets (
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        parameters TEXT NOT NULL,
        system_prompt TEXT NOT NULL,
        PRIMARY KEY (kind, name)
    );
    """,
    """
    CREATE TABLE downloads (
        server TEXT NOT NULL,
        job_id TEXT NOT NULL,
        at REAL NOT NULL,
        model TEXT NOT NULL,
        quantization TEXT,
        PRIMARY KEY (server, job_id)
    );
    """,
)
"""Statements that each end with a semicolon at a line's end. A released one is never edited."""
