//! `cargo xtask way-in`: the promises of the way in, in the lab, on each cloud that the lab can play.
//!
//! `daemun verify exposure` tries them on each, as it would on a real one; then come tries that would cost too much
//! there, or that look into the cloud or make it fail (`tries`); and in the end a switch is taken off a Service in the
//! call that makes it (`sabotage`). What a real cloud does is not learnt here: the lab's clouds are written from
//! documents.

mod came;
mod clouds;
mod ledger;
mod sabotage;
mod seen;
mod stage;
mod tries;
mod verify;

use std::fs;
use std::sync::Arc;

use kube::Client;
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use tokio::task::{JoinSet, LocalSet, spawn_blocking};

use crate::lab::kubectl::Kubectl;
use crate::lab::place::{self, Place};
use crate::lab::{self, build, install};
use crate::repository;
use came::{Row, counts};
use clouds::Cloud;
use ledger::Ledger;
use stage::Stage;
use verify::Verify;

/// Which cloud is played where a Service says nothing of it.
const USUAL: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: lab-cloud, namespace: kube-system}\ndata: {provider: NHN, trouble: none}\n";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Clouds as GatewayParameters name them [default: all, and the result is written down]
    clouds: Vec<String>,
    /// How many clouds are tried beside each other
    #[arg(long, default_value_t = 4)]
    at_once: usize,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    let named: Vec<&str> = arguments.clouds.iter().map(String::as_str).collect();
    let place = Place::find()?;
    if !named.is_empty() {
        return none_broken(&tried(&place, clouds::named(&named)?, arguments.at_once)?);
    }
    let rows = tried(&place, clouds::all(), arguments.at_once)?;
    write(&rows)?;
    none_broken(&rows)
}

/// Tries in the lab, which is started if need be.
pub(crate) fn in_lab(place: &Place, names: &[&str]) -> Result<(), String> {
    none_broken(&tried(place, clouds::named(names)?, names.len())?)
}

fn tried(place: &Place, clouds: Vec<Cloud>, at_once: usize) -> Result<Vec<Row>, String> {
    let image = lab::ready(place)?;
    let kubectl = Kubectl::of(place);
    install::install(&kubectl, build::PROFILE, &image)?;
    kubectl.apply(USUAL)?;
    let shared = place::read("way-in.yaml".as_ref())?;
    kubectl.apply(&shared)?;
    let tools = Arc::new(Tools {
        place: Place::find()?,
        verify: Verify {
            program: build::daemun(build::PROFILE)?,
            kubeconfig: kubectl.kubeconfig().to_path_buf(),
        },
        ledger: Ledger::open(place)?,
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("There is no runtime: {error}."))?;
    let tried = LocalSet::new().block_on(&runtime, all(tools, clouds, at_once.max(1)));
    let gone = kubectl.delete(&shared);
    let mut rows = tried?;
    gone?;
    rows.push(Row::new(
        "NHN",
        "a switch that a webhook takes away opens nothing",
        sabotage::sabotaged(&kubectl),
    ));
    println!("{}", counts(&rows));
    Ok(rows)
}

/// With what clouds are tried.
struct Tools {
    place: Place,
    verify: Verify,
    ledger: Ledger,
}

/// Tries clouds beside each other; their lines are in the order of the clouds.
async fn all(tools: Arc<Tools>, clouds: Vec<Cloud>, at_once: usize) -> Result<Vec<Row>, String> {
    let client = client(&tools.verify).await?;
    let mut waiting = clouds.into_iter().enumerate();
    let mut under_way = JoinSet::new();
    let mut done = Vec::new();
    loop {
        while under_way.len() < at_once
            && let Some((number, cloud)) = waiting.next()
        {
            let (tools, client) = (Arc::clone(&tools), client.clone());
            under_way
                .spawn_local(async move { (number, Box::pin(one(&tools, client, cloud)).await) });
        }
        match under_way.join_next().await {
            Some(Ok(rows)) => done.push(rows),
            Some(Err(error)) => return Err(error.to_string()),
            None => break,
        }
    }
    done.sort_by_key(|(number, _)| *number);
    Ok(done.into_iter().flat_map(|(_, rows)| rows).collect())
}

/// Tries one cloud. What cannot be tried at all is a line, too, and keeps the others from nothing.
async fn one(tools: &Tools, client: Client, cloud: Cloud) -> Vec<Row> {
    let broken = |claim: &str, why: String| Row::new(cloud.name(), claim, Err(why));
    let stage = match Stage::set(client, tools.ledger.clone(), cloud).await {
        Ok(stage) => stage,
        Err(why) => return vec![broken("a place to try it", why)],
    };
    let (verify, class) = (tools.verify.clone(), stage.name.clone());
    let verified = spawn_blocking(move || verify.run(cloud, &class)).await;
    let verified = verified.unwrap_or_else(|error| Err(error.to_string()));
    let mut rows = verified.unwrap_or_else(|why| vec![broken("daemun verify exposure", why)]);
    rows.extend(Box::pin(tries::all(&stage, &tools.place)).await);
    if let Err(why) = stage.strike().await {
        rows.push(broken("nothing is left", why));
    }
    rows
}

async fn client(verify: &Verify) -> Result<Client, String> {
    let file = &verify.kubeconfig;
    let read = Kubeconfig::read_from(file);
    let read = read.map_err(|error| format!("{} cannot be read: {error}.", file.display()))?;
    let config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await;
    let config = config.map_err(|error| error.to_string())?;
    Client::try_from(config).map_err(|error| error.to_string())
}

fn none_broken(rows: &[Row]) -> Result<(), String> {
    let broken: Vec<String> = rows
        .iter()
        .filter(|row| row.is_broken())
        .map(Row::line)
        .collect();
    if broken.is_empty() {
        return Ok(());
    }
    Err(format!("Broken:\n{}", broken.join("\n")))
}

fn write(rows: &[Row]) -> Result<(), String> {
    let results = repository::root().join("bench/results/way-in.md");
    let lines: Vec<String> = rows.iter().map(Row::line).collect();
    let document = format!(
        "# The way in, tried in the lab\n\n\
         `cargo xtask way-in`: on each cloud that the lab plays `daemun verify exposure --public`; then addresses that are\n\
         asked for or kept, clouds in trouble, UDP, shut ports and PROXY headers, with the cloud's log as witness; and a\n\
         Service whose switch is taken off in the call that makes it. Refused is what a cloud cannot do, or what is not\n\
         known of it: no load balancer was made, or none that serves, and the Gateway says why. The lab's clouds are\n\
         written from documents; what a real one does, `daemun verify exposure` tells there.\n\n\
         {}.\n\n\
         | cloud | claim | verdict | how |\n|---|---|---|---|\n{}\n",
        counts(rows),
        lines.join("\n")
    );
    fs::write(&results, document)
        .map_err(|error| format!("{} cannot be written: {error}.", results.display()))
}
