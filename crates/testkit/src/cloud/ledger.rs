//! What the cloud's log says of addresses: a sentence for each that comes or goes, whether or not a Service shows it.
//! Whoever wants to know that a Service never had a public address reads it there.

use super::addresses::Given;

/// What changed when a load balancer was made or made anew.
pub(super) fn changed(before: Option<&Given>, after: &Given) -> Option<String> {
    let was = before.and_then(|before| before.public);
    let sentence = match (before, was, after.public) {
        (None, _, None) => format!(
            "a load balancer is made with the private address {} and no public one",
            after.private
        ),
        (None, _, Some(public)) => format!(
            "a load balancer is made with the private address {}, and the public address {public} is attached",
            after.private
        ),
        (Some(_), Some(was), None) => format!("the public address {was} is taken off"),
        (Some(_), Some(was), Some(is)) if was != is => {
            format!(
                "the public address {was} is taken off, and the public address {is} is attached"
            )
        }
        (Some(_), None, Some(public)) => format!("the public address {public} is attached"),
        (Some(_), _, _) => return None,
    };
    Some(sentence)
}

/// What became of the addresses of a load balancer that is gone.
pub(super) fn released(had: &Given, kept: bool) -> String {
    match had.public {
        Some(public) if kept => format!(
            "its load balancer is gone, and the public address {public} is kept without one"
        ),
        Some(public) => {
            format!("its load balancer is gone, and the public address {public} is given back")
        }
        None => format!(
            "its load balancer is gone, and the private address {} is given back",
            had.private
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::{Given, changed, released};

    fn given(public: Option<u8>) -> Given {
        Given {
            private: Ipv4Addr::new(198, 18, 128, 1),
            public: public.map(|last| Ipv4Addr::new(198, 18, 192, last)),
        }
    }

    #[test]
    fn every_public_address_that_comes_is_said_to_be_attached() {
        for (before, after, attached) in [
            (None, None, false),
            (None, Some(7), true),
            (Some(None), None, false),
            (Some(None), Some(7), true),
            (Some(Some(7)), Some(7), false),
            (Some(Some(7)), Some(8), true),
            (Some(Some(7)), None, false),
        ] {
            let before = before.map(given);
            let said = changed(before.as_ref(), &given(after));
            assert_eq!(
                said.as_deref().is_some_and(|it| it.contains("is attached")),
                attached,
                "{said:?}"
            );
        }
    }

    #[test]
    fn what_is_kept_is_told_apart_from_what_is_given_back() {
        assert!(released(&given(Some(7)), true).contains("198.18.192.7 is kept"));
        assert!(released(&given(Some(7)), false).contains("198.18.192.7 is given back"));
        assert!(released(&given(None), true).contains("198.18.128.1 is given back"));
    }
}
