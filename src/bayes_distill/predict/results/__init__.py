"""What callers get back: one schema for tables and draws, and how a result is shown."""
