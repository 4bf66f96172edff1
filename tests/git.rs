//! Keys in git repositories: every repository is made by git itself, and what git says of commits, paths and authors is the
//! truth that the sweep is held against.

mod alone;
mod damage;
mod history;
mod repository;
mod stores;
