//! Every integration test, one module a subject.
mod identity;
mod keytools;
