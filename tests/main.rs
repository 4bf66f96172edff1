//! Every integration test, one module a subject.
mod der;
mod identity;
mod keytools;
