//! `daemun verify exposure`: tries in the cluster at hand what is promised of the way in, and prints a report. What is
//! tried is in `daemun_controller::verify`; here is what people are asked and told.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use daemun_base::signals::{Signal, Signals};
use daemun_controller::verify::{self, Claim, Report, Trial, Verdict};
use daemun_translate::exposure::provider::Provider;

use super::Status;
use super::access::{AccessArguments, RangeArguments};
use super::process::runtime;
use crate::output::style::plain;

/// What is tried.
#[derive(Debug, Subcommand)]
pub(crate) enum Verify {
    /// The way in: private unless asked otherwise, and closed when it is wrong
    #[command(
        long_about = "The way in: private unless asked otherwise, and closed when it is wrong\n\n\
                      Makes a namespace daemun-verify-… with one Gateway, or two with --public, looks at what the cloud \
                      makes of them, writes a public address into the status of one Service to see the Gateway close, \
                      and takes all of it away again. A load balancer may cost something while it is there."
    )]
    Exposure(Box<Exposure>),
}

/// Arguments of `verify exposure`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Exposure {
    /// The GatewayClass of the Gateways that are made
    #[arg(long, value_name = "NAME", default_value = "daemun")]
    class: String,
    /// Who makes load balancers, as GatewayParameters name it [default: what the nodes say]
    #[arg(long, value_name = "NAME", value_parser = provider)]
    provider: Option<Provider>,
    /// The subnet of the load balancers, as GatewayParameters name it
    #[arg(long, value_name = "SUBNET")]
    subnet: Option<String>,
    /// Ask for public addresses too, and take the switch off a Service by hand
    #[arg(long)]
    public: bool,
    /// Seconds that a load balancer may take
    #[arg(long, value_name = "SECONDS", default_value = "300")]
    patience: u64,
    /// How the report is printed
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value = "text")]
    output: Output,
    #[command(flatten)]
    ranges: RangeArguments,
    #[command(flatten)]
    access: AccessArguments,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people, each claim as soon as it is decided
    Text,
    /// For a document: what was seen, as evidence
    Markdown,
    /// For programs
    Json,
}

fn provider(name: &str) -> Result<Provider, String> {
    Provider::named(name).ok_or_else(|| {
        let names: Vec<&str> = Provider::ALL.iter().map(|it| it.name()).collect();
        format!("no such provider is known; there are {}", names.join(", "))
    })
}

/// Tries, and prints the report.
pub(crate) fn verify(what: &Verify) -> Status {
    let Verify::Exposure(arguments) = what;
    let report = match runtime().and_then(|runtime| runtime.block_on(exposure(arguments))) {
        Ok(report) => report,
        Err(why) => return Status::unusable(&why),
    };
    let text = match arguments.output {
        Output::Text => ending(&report),
        Output::Markdown => markdown(&report),
        Output::Json => match serde_json::to_string_pretty(&report) {
            Ok(json) => json + "\n",
            Err(error) => {
                return Status::unusable(&format!("The report cannot be written: {error}."));
            }
        },
    };
    match io::stdout().write_all(text.as_bytes()) {
        // Whoever reads may stop reading.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Status::unusable(&format!("Standard output could not be written: {error}."))
        }
        Ok(()) | Err(_) if report.left.is_some() => Status::Unusable,
        Ok(()) | Err(_) if report.holds() => Status::Fine,
        Ok(()) | Err(_) => Status::Refused,
    }
}

async fn exposure(arguments: &Exposure) -> Result<Report, String> {
    let mut signals =
        Signals::new().map_err(|error| format!("Signals cannot be handled: {error}."))?;
    let client = arguments.access.access().connect().await?;
    let trial = Trial {
        class: arguments.class.clone(),
        provider: arguments.provider,
        subnet: arguments.subnet.clone(),
        public: arguments.public,
        patience: Duration::from_secs(arguments.patience),
        private_ranges: arguments.ranges.private_ranges.clone(),
        public_ranges: arguments.ranges.public_ranges.clone(),
    };
    let stop = async {
        while signals.next().await != Signal::Stop {}
        eprintln!("Stopping; what was made is taken away.");
    };
    let text = arguments.output == Output::Text;
    verify::exposure(&client, &trial, stop, |claim| {
        if text {
            print!("{}", said(claim));
        }
    })
    .await
}

/// A claim for people.
fn said(claim: &Claim) -> String {
    let (word, why) = verdict(claim);
    let mut text = format!("{word:7}  {}\n         {}\n", claim.name, claim.what);
    for moment in &claim.seen {
        // Writing into a String cannot fail.
        let _ = writeln!(
            text,
            "         {:6.1} s  {}",
            moment.after.as_secs_f64(),
            plain(&moment.what)
        );
    }
    let _ = writeln!(text, "         {word}: {}\n", plain(why));
    text
}

fn verdict(claim: &Claim) -> (&'static str, &str) {
    match &claim.verdict {
        Verdict::Held(how) => ("holds", how),
        Verdict::Broken(why) => ("BROKEN", why),
        Verdict::Refused(why) => ("refused", why),
        Verdict::Unknown(why) => ("unknown", why),
    }
}

/// What is said when all was tried.
fn ending(report: &Report) -> String {
    let Report {
        kubernetes,
        nodes,
        provider,
        product,
        began: _, // is for documents
        claims,
        left,
    } = report;
    let count = |word: &str| claims.iter().filter(|it| verdict(it).0 == word).count();
    let nodes = match nodes.as_slice() {
        [] => "nodes without a providerID".to_owned(),
        starts => format!("nodes of {}", plain(&starts.join(", "))),
    };
    let mut text = format!(
        "Kubernetes {}, {nodes}, by the rules of {provider} ({product}): {} hold, {} broken, {} refused, {} unknown.\n",
        plain(kubernetes),
        count("holds"),
        count("BROKEN"),
        count("refused"),
        count("unknown"),
    );
    text.push_str(
        "An address that somebody attaches in the cloud's console is not visible to any of this.\n",
    );
    if let Some(left) = left {
        let _ = writeln!(text, "{left}");
    }
    text
}

/// The report as a piece of a document.
fn markdown(report: &Report) -> String {
    let cell = |text: &str| plain(text).replace('|', "\\|");
    let mut text = format!(
        "## The way in, tried: {}\n\n{}\n| claim | verdict | how |\n|---|---|---|\n",
        report.product,
        ending(report)
    );
    for claim in &report.claims {
        let (word, why) = verdict(claim);
        let _ = writeln!(text, "| {} | {word} | {} |", claim.what, cell(why));
    }
    for claim in &report.claims {
        let _ = writeln!(text, "\n### {}\n", claim.name);
        for moment in &claim.seen {
            let after = moment.after.as_secs_f64();
            let _ = writeln!(text, "- {after:.1} s: {}", plain(&moment.what));
        }
    }
    text
}
