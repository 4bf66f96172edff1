//! What a host says of itself: accounts, access, installed packages, trust stores.
