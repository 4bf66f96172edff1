//! Every integration test, one module a subject.

mod architecture;
mod estate;
mod fixtures;
mod walk;
