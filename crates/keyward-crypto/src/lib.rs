//! Keyward crypto.
