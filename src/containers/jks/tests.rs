//! What fixtures cannot show.
