//! What holds other things: armours, DER runs in other bytes, and later archives and keystores.
