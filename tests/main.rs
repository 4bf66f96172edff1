//! Every integration test, one module a subject.

#[cfg(test)]
mod architecture;
#[cfg(test)]
mod estate;
#[cfg(test)]
mod fixtures;
mod walk;
