//! Reads exports into entries.
