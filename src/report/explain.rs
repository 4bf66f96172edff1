//! All about one key.
