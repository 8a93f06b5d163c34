//! How results look: formats, colours, columns. What they say is the commands' business.

pub(crate) mod serving;
pub(crate) mod style;
pub(crate) mod table;

use clap::ValueEnum;

/// A form that results can be had in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Table,
    /// The same with every condition.
    Wide,
    /// For programs.
    Json,
    /// The same as JSON, easier to read.
    Yaml,
}

/// `1 object`, `2 objects`.
pub(crate) fn counted(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}
