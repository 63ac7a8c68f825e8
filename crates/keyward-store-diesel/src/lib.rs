//! Keyward store-diesel.
