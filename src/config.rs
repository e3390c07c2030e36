//! `schoolgate.toml`: read, checked whole, every error with file, line and column.
