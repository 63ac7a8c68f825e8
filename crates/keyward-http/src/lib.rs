//! Keyward http.
