//! Errors in one sentence's part: what happened, and why.

/// An error with what caused it, innermost last, without repetition.
pub fn because(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::fmt;

    use super::because;

    #[derive(Debug)]
    struct Failed(&'static str, Option<Box<Failed>>);

    impl fmt::Display for Failed {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Failed {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|cause| cause as &dyn Error)
        }
    }

    #[test]
    fn causes_are_named_once_the_innermost_last() {
        let reset = Failed("connection reset", None);
        let io = Failed("io: connection reset", Some(Box::new(reset)));
        let whole = Failed("the request failed", Some(Box::new(io)));
        assert_eq!(because(&whole), "the request failed: io: connection reset");
    }
}
