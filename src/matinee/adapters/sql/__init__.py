"""Ledger and catalog in an SQL database: SQLite on one machine, PostgreSQL on many."""
