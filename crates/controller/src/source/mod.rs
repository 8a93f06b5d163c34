//! Where objects come from: files. Each source gives all objects that are in force, with what is wrong.

pub mod files;
