//! Keys inside of things: every key of the fixtures is planted in every kind of archive, made by its own tool, and must be found at
//! its exact place with its identity; and in chains of three.

mod bombs;
mod chains;
mod damage;
mod databases;
mod decoys;
mod disks;
mod documents;
mod encodings;
mod images;
mod kinds;
mod mail;
mod packages;
mod plants;
mod programs;
mod repeated;
mod stores;
mod streams;
mod zips;
