//! One file per output form, writing to a given `Write`.
