//! Which bytes are worth a parser: one pass over the content, many literals at once.
