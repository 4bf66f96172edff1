//! Every integration test, one module a subject.

#[cfg(test)]
mod architecture;

#[cfg(test)]
mod archives;

#[cfg(test)]
mod chance;

#[cfg(test)]
mod cli;

#[cfg(test)]
mod cost;

#[cfg(test)]
mod der;

#[cfg(test)]
mod documents;

#[cfg(test)]
mod estate;

#[cfg(test)]
mod fixtures;

#[cfg(test)]
mod git;

#[cfg(test)]
mod host;

#[cfg(test)]
mod hostile;

#[cfg(test)]
mod identity;

#[cfg(test)]
mod inventory;

#[cfg(test)]
mod keytools;

#[cfg(test)]
mod pgp;

#[cfg(test)]
mod secrets;

#[cfg(test)]
mod ssh;

#[cfg(test)]
mod stores;

#[cfg(test)]
mod support;

#[cfg(test)]
mod system;

#[cfg(test)]
mod walk;

#[cfg(test)]
mod windows;
