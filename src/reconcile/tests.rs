//! Every flag on both sides of its line; the expectations are read off the contract, section 3.

mod inventory;
mod matching;
mod material;
mod openpgp;
mod properties;
mod propose;
mod rows;
mod validity;
