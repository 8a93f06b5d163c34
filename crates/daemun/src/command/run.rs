//! `daemun run`: a gateway from files, from one address, or the welcome gateway.
//!
//! It is the controller with files as its source and the proxy in the same process; there is no second
//! way for standalone. This file puts the parts together and takes them apart again in order.

mod arguments;
mod embedded;
mod observe;
mod told;

use std::sync::Arc;

use daemun_base::readiness::Readiness;
use daemun_base::signals::{Signal, Signals};
use daemun_base::tasks::Tasks;
use daemun_base::{clock, logs};
use daemun_controller::publish::State;
use daemun_controller::source::files::Files;
use daemun_controller::{Controller, Following};
use daemun_proxy::{Applied, Proxy, Refused};
use daemun_translate::Settings as TranslateSettings;

pub(crate) use arguments::{Run, Source, spoken};
use told::Told;

use super::Status;
use super::process::runtime;
use crate::output::serving::Serving;
use crate::output::style::ColourArguments;

/// Runs a gateway until it is told to stop.
pub(crate) fn run(arguments: &Run, colours: &ColourArguments) -> Status {
    let level = match arguments.process.start_logs(colours) {
        Ok(level) => level,
        Err(why) => return Status::unusable(&why),
    };
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(why) => return Status::unusable(&why),
    };
    match runtime.block_on(serve(arguments, colours, level)) {
        Ok(()) => Status::Fine,
        Err(why) => Status::unusable(&why),
    }
}

async fn serve(
    arguments: &Run,
    colours: &ColourArguments,
    level: logs::Level,
) -> Result<(), String> {
    let mut signals =
        Signals::new().map_err(|error| format!("Signals cannot be handled: {error}."))?;
    let tasks = Tasks::default();
    let readiness = Readiness::default();
    readiness.not_ready("listeners", "nothing is bound yet");

    let files = files(arguments, &tasks).await?;
    let told = Arc::new(Told::default());
    let report = Arc::clone(&told);
    let controller = Controller::new(files, TranslateSettings::default());
    let Following { mut state, reload } =
        daemun_controller::follow(controller, &tasks, move |news| report.tell(news));

    let mut proxy = Proxy::start(arguments.proxy_settings())?;
    let shown = observe::Shown::new(&state, &proxy, &readiness);
    let first = Arc::clone(&state.borrow_and_update());
    let applied = proxy.apply(Arc::clone(&first.configuration)).await;
    observe::readiness(&readiness, &first, &applied);
    observe::source(proxy.metrics(), &first);
    refuse_to_begin(&first, &applied)?;
    let (health, admin) = shown.start(arguments, level, &tasks).await?;
    let serving = Serving {
        source: arguments.source(),
        state: &first,
        applied: &applied,
        health,
        admin,
    };
    print!("{}", serving.text(colours.style(&std::io::stdout())));
    told.begin();
    let mut refused = applied.report.refused;

    loop {
        tokio::select! {
            changed = state.changed() => {
                changed.map_err(|_| "The files are not followed any more.".to_owned())?;
                let next = Arc::clone(&state.borrow_and_update());
                apply(&mut proxy, &next, &readiness, &mut refused).await;
            }
            applied = proxy.follow() => {
                let state = Arc::clone(&state.borrow());
                observe::readiness(&readiness, &state, &applied);
            }
            signal = signals.next() => match signal {
                Signal::Reload => reload.now(),
                Signal::Reopen => proxy.metrics().reopen_logs(),
                Signal::Stop => break,
            },
        }
    }
    stop(proxy, &mut signals, &readiness).await;
    tasks.abort();
    Ok(())
}

/// Makes a state's configuration live. What the proxy refused before is known, and is not said again.
async fn apply(proxy: &mut Proxy, next: &State, readiness: &Readiness, known: &mut Vec<Refused>) {
    observe::source(proxy.metrics(), next);
    if Arc::ptr_eq(proxy.configuration(), &next.configuration) {
        observe::problems(readiness, next);
        return;
    }
    let began = clock::now();
    let applied = proxy.apply(Arc::clone(&next.configuration)).await;
    observe::readiness(readiness, next, &applied);
    tracing::info!(
        took_ms = began.elapsed().as_millis(),
        "The changed configuration is live."
    );
    let is_new = |refused: &&Refused| !known.contains(refused);
    for refused in applied.report.refused.iter().filter(is_new) {
        tracing::warn!("The proxy refused a part of the configuration: {refused}.");
    }
    for not_bound in &applied.not_bound {
        tracing::error!("{}", not_bound.reason);
    }
    *known = applied.report.refused;
}

/// A second signal ends the process without waiting.
async fn stop(proxy: Proxy, signals: &mut Signals, readiness: &Readiness) {
    readiness.not_ready("process", "it is stopping");
    tracing::info!(
        "Stopping: requests under way are answered first. A second signal stops at once."
    );
    tokio::select! {
        () = proxy.drain() => tracing::info!("Stopped."),
        () = second_stop(signals) => tracing::warn!("Stopped at once; requests under way were cut off."),
    }
}

async fn second_stop(signals: &mut Signals) {
    while signals.next().await != Signal::Stop {}
}

/// The files that are followed: the user's, or text of our own.
async fn files(arguments: &Run, tasks: &Tasks) -> Result<Files, String> {
    Ok(match arguments.source() {
        Source::Paths(paths) => Files::new(paths.iter().cloned()),
        Source::To(target) => {
            Files::from_text("(--to)", embedded::in_front_of(target, arguments.listen))
        }
        Source::Welcome => {
            let echo = crate::echo::start(tasks)
                .await
                .map_err(|error| format!("The built-in echo backend cannot listen: {error}."))?;
            Files::from_text("(welcome)", embedded::welcome(echo, arguments.listen))
        }
    })
}

/// A gateway that begins with nothing to serve and with errors is not started: the person who started
/// it is looking. Later, the same is a problem that is reported while the rest goes on.
fn refuse_to_begin(state: &State, applied: &Applied) -> Result<(), String> {
    if !applied.not_bound.is_empty() {
        let reasons: Vec<&str> = applied
            .not_bound
            .iter()
            .map(|one| one.reason.as_str())
            .collect();
        return Err(reasons.join("\n"));
    }
    if applied.listening.is_empty() && state.problems.errors().next().is_some() {
        let problems: Vec<String> = state.problems.errors().map(ToString::to_string).collect();
        return Err(format!("{}\nNothing can be served.", problems.join("\n")));
    }
    Ok(())
}
