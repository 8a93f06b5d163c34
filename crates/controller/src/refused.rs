//! What the API server does not let the controller do, in words.

use daemun_base::causes::because;
use kube::Error;

/// The end of a sentence that says what may not be done.
pub(crate) const LACKS_RIGHT: &str =
    "its role lacks that right. `daemun install` prints the role that it needs.";

/// Why `what` could not be `verb`ed, as sentences. That something is forbidden may also be a policy of the cluster's, which
/// the server's own words say.
pub(crate) fn why(verb: &str, what: &str, error: &Error) -> String {
    match error {
        Error::Api(status) if status.is_forbidden() => format!(
            "The controller may not {verb} {what}: {}. If no policy of the cluster is named there, {LACKS_RIGHT}",
            status.message.trim_end_matches('.')
        ),
        Error::Api(status) => format!(
            "The API server does not let the controller {verb} {what}: {}.",
            status.message.trim_end_matches('.')
        ),
        error => format!(
            "The controller cannot {verb} {what}: {}. It tries again.",
            because(error)
        ),
    }
}

#[cfg(test)]
mod tests {
    use kube::Error;
    use kube::core::Status;
    use kube::core::response::StatusSummary;

    use super::why;

    #[test]
    fn refusals_name_the_role_and_other_answers_do_not() {
        let answer = |code, reason: &str| {
            let status = Status {
                status: Some(StatusSummary::Failure),
                code,
                message: "no pods allowed.".to_owned(),
                reason: reason.to_owned(),
                ..Status::default()
            };
            why("make", "Service a/b", &Error::Api(Box::new(status)))
        };
        assert_eq!(
            answer(403, "Forbidden"),
            "The controller may not make Service a/b: no pods allowed. If no policy of the cluster is named there, its role lacks that right. `daemun install` prints the role that it needs."
        );
        assert_eq!(
            answer(422, "Invalid"),
            "The API server does not let the controller make Service a/b: no pods allowed."
        );
    }
}
