//! SQLite databases ("Database File Format", sqlite.org/fileformat2.html): values, whole where they lie on several pages.
//!
//! Every tree of pages is gone through from its root, and a value that the search would look at is a member by the names of its table and
//! column and the number of its row. Entries of indexes are copies of values. What no tree accounts for is searched as it lies: free
//! pages, what deleted rows left between those that are there, and what a damaged page holds. No page is read for two trees.
//!
//! A write-ahead log beside the database is a file of its own, and is not applied.

mod database;
mod payload;
mod schema;
mod tree;

use super::held::Held;
use super::{Archive, Failure, Input, Members, Source};
use crate::model::GapReason;
use database::Database;
use tree::{Tree, Walk};

/// The archive.
pub(super) struct Sqlite;

const NAME: &str = "sqlite";
/// How the tables of NSS's databases are made, which are stores of keys with a reader of their own; their names alone are in other databases too.
const NSS: [&[u8]; 2] = [b"CREATE TABLE nssPublic ", b"CREATE TABLE nssPrivate "];
/// Where that must occur.
const NSS_SCHEMA: usize = 64 << 10;

impl Archive for Sqlite {
    fn name(&self) -> &'static str {
        NAME
    }

    fn begins(&self, start: &[u8]) -> bool {
        let schema = start.get(..NSS_SCHEMA).unwrap_or(start);
        Database::begins(start)
            && !NSS
                .iter()
                .any(|table| memchr::memmem::find(schema, table).is_some())
    }

    fn read(&self, input: &mut Input<'_>, members: &mut dyn Members) -> Result<(), Failure> {
        let end = input.with_random(|source| read(source, members).map(|()| source.size()))?;
        Ok(input.skip_to(end)?)
    }
}

fn read(source: &dyn Source, members: &mut dyn Members) -> Result<(), Failure> {
    let database = Database::open(source)?;
    // A bit for each page.
    let _held = Held::window(database.pages().div_ceil(8))?;
    let mut walk = Walk::new(&database, members);
    let mut trees = vec![Tree::schema()];
    while let Some(tree) = trees.pop() {
        trees.extend(walk.tree(&tree)?);
    }
    walk.rest()?;
    if let Some(place) = walk.damage() {
        let detail = "sqlite: a damaged page; what it holds is searched as it lies".to_owned();
        members.fault(None, place, GapReason::Malformed, detail);
    }
    if database.is_cut() {
        let detail = "sqlite: cut off".to_owned();
        members.fault(None, source.size(), GapReason::Truncated, detail);
    }
    Ok(())
}
