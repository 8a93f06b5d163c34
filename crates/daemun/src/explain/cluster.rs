//! The answer of a cluster: which of its Gateways a request is for is known to the client alone, by the address; here it
//! is the one whose Routes take it, unless somebody says.

use daemun_controller::glimpse::Glimpse;
use daemun_model::Configuration;
use daemun_proxy::admin::{Form, Question};

use super::{Explanation, asked::Request, explain, text};

/// Answers by what was seen of a cluster: by all Gateways, or by the one of a name (`name` or `namespace/name`).
///
/// # Errors
/// A sentence about the question.
pub(crate) fn answer(
    glimpse: &Glimpse,
    gateway: Option<&str>,
    question: &Question,
    form: Form,
) -> Result<String, String> {
    let port = Request::read(question)?.port;
    let mut unseen = glimpse.unseen.clone();
    let mut found = Found::of(glimpse, gateway, question)?;
    if !found.is_taken()
        && let Some(presumed) = glimpse.presuming(Some(port))
    {
        let instead = Found::presumed(&presumed, gateway, question)?;
        if instead.is_taken() {
            found = instead;
            unseen = presumed.unseen;
        }
    }
    let Found {
        explanation,
        others,
    } = found;
    if explanation.listener.is_none() && !glimpse.all_gateways {
        return Err(format!(
            "What becomes of the request cannot be told: no Gateway that can be seen takes it.\n{}",
            what_was_not_seen(&unseen)
        ));
    }
    Ok(match form {
        Form::Text => {
            let mut told = text::write(&explanation);
            if !others.is_empty() {
                let also = others.join(", ");
                told.push_str(&format!(
                    "Other Gateways that take it at their own addresses: {also} (--gateway names one).\n"
                ));
            }
            told + &what_was_not_seen(&unseen)
        }
        Form::Json => {
            eprint!("{}", what_was_not_seen(&unseen));
            serde_json::to_string_pretty(&explanation).unwrap_or_default() + "\n"
        }
    })
}

/// What could not be seen, one line each; nothing if all was.
pub(crate) fn what_was_not_seen(unseen: &[String]) -> String {
    if unseen.is_empty() {
        return String::new();
    }
    let lines: String = unseen.iter().map(|it| format!("  {it}\n")).collect();
    format!("What could not be seen:\n{lines}")
}

/// The best answer, and which other Gateways have one that is as good.
struct Found {
    explanation: Explanation,
    others: Vec<String>,
}

impl Found {
    fn of(glimpse: &Glimpse, gateway: Option<&str>, question: &Question) -> Result<Self, String> {
        let verdicts = &glimpse.outcome.verdicts;
        let gateways = &glimpse.outcome.configuration.gateways;
        let meant = gateways.iter().filter(|(name, _)| {
            gateway.is_none_or(|meant| name.name == meant || name.to_string() == meant)
        });
        let mut all = Vec::new();
        for (name, snapshot) in meant {
            let alone = Configuration {
                gateways: [(name.clone(), snapshot.clone())].into(),
            };
            let explanation = explain(&alone, verdicts, question)?;
            all.push((name.to_string(), explanation));
        }
        all.sort_by_key(|(_, it)| (!it.is_taken(), it.listener.is_none()));
        let mut all = all.into_iter();
        let Some((_, explanation)) = all.next() else {
            if let Some(gateway) = gateway {
                return Err(format!(
                    "There is no Gateway {gateway} of Daemun's that serves."
                ));
            }
            let explanation = explain(&Configuration::default(), verdicts, question)?;
            return Ok(Self {
                explanation,
                others: Vec::new(),
            });
        };
        let is_taken = explanation.is_taken();
        let others = all.filter(|(_, it)| is_taken && it.is_taken());
        Ok(Self {
            explanation,
            others: others.map(|(name, _)| name).collect(),
        })
    }

    /// By Gateways that are presumed, which are looked at without TLS.
    fn presumed(
        glimpse: &Glimpse,
        gateway: Option<&str>,
        question: &Question,
    ) -> Result<Self, String> {
        let Some(rest) = question.url.strip_prefix("https://") else {
            return Self::of(glimpse, gateway, question);
        };
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let has_port = authority
            .rsplit(']')
            .next()
            .is_some_and(|end| end.contains(':'));
        let port = if has_port { "" } else { ":443" };
        let plain = Question {
            url: format!("http://{authority}{port}{path}"),
            ..question.clone()
        };
        let mut found = Self::of(glimpse, gateway, &plain)?;
        "https".clone_into(&mut found.explanation.request.scheme);
        if let Some(listener) = &mut found.explanation.listener {
            listener.protocol = "https";
        }
        Ok(found)
    }

    fn is_taken(&self) -> bool {
        self.explanation.is_taken()
    }
}

#[cfg(test)]
mod tests;
