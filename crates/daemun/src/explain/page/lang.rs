//! The languages of the page, and sentences in all of them.
//!
//! A sentence is written in every language at one place: one that lacks a translation does not compile. Names and
//! numbers stand in it as `{0}`, `{1}`; the Korean ones are followed by no particle that depends on how they end.

use std::fmt::{self, Write as _};

use clap::ValueEnum;
use serde::Serialize;

/// A language.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize)]
pub(crate) enum Lang {
    /// English
    #[default]
    #[serde(rename = "en")]
    En,
    /// 한국어
    #[serde(rename = "ko")]
    Ko,
}

impl Lang {
    /// Its code, for HTML.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ko => "ko",
        }
    }

    /// The language of an environment: the first of these variables that is set and not empty counts, as POSIX has it.
    pub(crate) fn of_environment<'a>(variables: impl IntoIterator<Item = &'a str>) -> Self {
        let mut set = variables.into_iter().filter(|value| !value.is_empty());
        match set.next() {
            Some(value)
                if value == "ko" || value.starts_with("ko_") || value.starts_with("ko.") =>
            {
                Self::Ko
            }
            Some(_) | None => Self::En,
        }
    }
}

/// A sentence in every language.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words {
    pub(super) en: &'static str,
    pub(super) ko: &'static str,
}

impl Words {
    /// As it is; it has no places.
    pub(super) fn plain(&self, lang: Lang) -> String {
        self.of(lang).to_owned()
    }

    /// With what belongs in its places. A place without a value stays as it is written, which a test would see.
    pub(super) fn say(&self, lang: Lang, values: &[&dyn fmt::Display]) -> String {
        fill(self.of(lang), values)
    }

    pub(super) fn of(&self, lang: Lang) -> &'static str {
        match lang {
            Lang::En => self.en,
            Lang::Ko => self.ko,
        }
    }
}

/// Puts values in their places.
pub(super) fn fill(text: &str, values: &[&dyn fmt::Display]) -> String {
    let mut said = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        said.push_str(before);
        let Some((place, behind)) = after.split_once('}') else {
            rest = after;
            continue;
        };
        match place.parse::<usize>().ok().and_then(|it| values.get(it)) {
            Some(value) => drop(write!(said, "{value}")),
            None => drop(write!(said, "{{{place}}}")),
        }
        rest = behind;
    }
    said + rest
}

/// Sentences by name, and a list of them for the test that looks at all.
macro_rules! words {
    ($( $name:ident: $en:literal, $ko:literal; )+) => {
        $( pub(in crate::explain::page) const $name: $crate::explain::page::lang::Words =
            $crate::explain::page::lang::Words { en: $en, ko: $ko }; )+
        #[cfg(test)]
        pub(in crate::explain::page) const ALL: &[(&str, $crate::explain::page::lang::Words)] =
            &[$( (stringify!($name), $name) ),+];
    };
}
pub(super) use words;

#[cfg(test)]
mod tests {
    use super::{Lang, Words};

    #[test]
    fn values_stand_where_the_language_wants_them() {
        let words = Words {
            en: "{0} of {1}",
            ko: "{1}개 중 {0}개",
        };
        assert_eq!(words.say(Lang::En, &[&1, &2]), "1 of 2");
        assert_eq!(words.say(Lang::Ko, &[&1, &2]), "2개 중 1개");
        // What a value has of braces is not looked at again.
        assert_eq!(words.say(Lang::En, &[&"{1}", &2]), "{1} of 2");
    }

    #[test]
    fn the_language_follows_the_environment() {
        for (variables, lang) in [
            (&["", "", "ko_KR.UTF-8"][..], Lang::Ko),
            (&["C", "ko_KR.UTF-8"], Lang::En),
            (&["ko"], Lang::Ko),
            (&["kok_IN"], Lang::En),
            (&[], Lang::En),
        ] {
            assert_eq!(Lang::of_environment(variables.iter().copied()), lang);
        }
    }
}
