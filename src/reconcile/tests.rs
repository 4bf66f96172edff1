//! Every flag on both sides of its line; the expectations are read off the contract, section 3.

mod age;
mod exceptions;
mod hosts;
mod inventory;
mod matching;
mod material;
mod openpgp;
mod policy;
mod properties;
mod propose;
mod renewals;
mod rows;
mod trust;
mod validity;
