//! One canonical key id from any encoding, and every fingerprint form.
