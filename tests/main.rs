//! Every integration test, one module a subject.
