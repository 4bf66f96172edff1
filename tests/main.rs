//! Every integration test, one module a subject.

mod host;
