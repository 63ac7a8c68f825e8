//! Keyward store-memory.
