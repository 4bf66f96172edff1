//! Every integration test, one module a subject.

mod architecture;
mod der;
mod estate;
mod fixtures;
mod identity;
mod keytools;
mod walk;
