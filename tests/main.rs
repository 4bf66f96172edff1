//! Every integration test, one module a subject.

#[cfg(test)]
mod walk;
