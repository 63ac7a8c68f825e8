//! Keyward store-suite.
