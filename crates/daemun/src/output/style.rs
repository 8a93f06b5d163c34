//! Colours, and whether there are any.

use std::fmt;
use std::io::IsTerminal;

use clap::{Args, ValueEnum};

/// When output is coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

/// Arguments about colours, the same for all commands.
#[derive(Clone, Debug, Args)]
pub(crate) struct ColourArguments {
    /// When to use colours
    #[arg(
        long,
        global = true,
        display_order = 900,
        env = "DAEMUN_COLOR",
        value_enum,
        value_name = "WHEN",
        default_value = "auto"
    )]
    color: Colour,
    /// Set and not empty: no colours (no-color.org)
    #[arg(long, global = true, env = "NO_COLOR", hide = true, default_value = "")]
    no_color: String,
}

impl ColourArguments {
    /// The style of what is written to a stream.
    pub(crate) fn style(&self, stream: &impl IsTerminal) -> Style {
        let coloured = match self.color {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => self.no_color.is_empty() && stream.is_terminal(),
        };
        Style { coloured }
    }
}

pub(crate) use daemun_model::shown::plain;

/// Makes text stand out, or leaves it as it is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Style {
    coloured: bool,
}

/// How a text is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// A heading, or a place.
    Strong,
    /// All is well.
    Good,
    /// Worth a look.
    Doubtful,
    /// Refused.
    Bad,
}

/// What begins and ends a tone on a terminal.
pub(super) const CODES: [&str; 5] = [
    "\u{1b}[1m",
    "\u{1b}[32m",
    "\u{1b}[33m",
    "\u{1b}[31m",
    "\u{1b}[0m",
];

impl Style {
    /// Whether anything stands out.
    pub(crate) fn is_coloured(self) -> bool {
        self.coloured
    }

    /// A text in a tone.
    pub(crate) fn paint(self, tone: Tone, text: impl fmt::Display) -> String {
        let code = match tone {
            Tone::Strong => "1",
            Tone::Good => "32",
            Tone::Doubtful => "33",
            Tone::Bad => "31",
        };
        if self.coloured {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_string()
        }
    }
}
