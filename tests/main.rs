//! Every integration test, one module a subject.

#[cfg(test)]
#[cfg(test)]
#[cfg(test)]
mod architecture;
mod der;
mod estate;
mod fixtures;
mod identity;
mod keytools;
mod walk;
