//! The `daemun` program: its arguments, and which command they ask for.

mod command;
mod echo;
mod explain;
mod output;
mod roles;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use command::{check, completions, install, proxy, run};
use output::style::ColourArguments;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Daemun is a gateway: from Gateway API objects in files to traffic, on any machine.
#[derive(Debug, Parser)]
#[command(
    name = "daemun",
    version,
    propagate_version = true,
    after_help = "Where an environment variable stands beside an option, it can be set there too.\n\
                  Exit status: 0 if all is well, 1 if something was refused, 2 if the work could not be done."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    colours: ColourArguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a gateway: from objects in files, in front of one service, or just to say hello
    Run(Box<run::Run>),
    /// Run the controller in Kubernetes: it turns Gateway API objects into what proxies do, and says so in them
    Controller(Box<command::controller::Arguments>),
    /// Serve one Gateway of a cluster, as its controller says
    Proxy(Box<proxy::Proxy>),
    /// Say what would become of the objects in files or in a cluster, without serving them
    Check(check::Arguments),
    /// Say what would become of a request, and why
    #[command(long_about = "Say what would become of a request, and why\n\n\
                      By files: daemun explain GET http://shop.example.com/api shop.yaml\n\
                      By a running process: daemun explain GET http://shop.example.com/api --admin 127.0.0.1:9902\n\
                      By a cluster, with your own rights: daemun explain GET http://shop.example.com/api -n shop\n\
                      What becomes of a Route: daemun explain route orders -n shop\n\
                      All of a Gateway on one page: daemun explain gateway shop -n infra\n\
                      The same before anything is made: daemun explain gateway shop shop.yaml --provider NHN")]
    Explain(command::explain::Arguments),
    /// Print what has to be applied to a Kubernetes cluster so that Daemun serves it
    ///
    /// daemun install | kubectl apply --server-side -f -
    Install(install::Arguments),
    /// Try in a cluster what is promised, with Gateways that are thrown away, and print a report
    #[command(subcommand)]
    Verify(command::verify::Verify),
    /// Answer requests with what they were: a backend for trying things out
    Echo(command::echo::Arguments),
    /// Print completions for a shell
    ///
    /// For bash: daemun completions bash > /etc/bash_completion.d/daemun
    Completions(completions::Arguments),
    /// Print the manual page
    ///
    /// To read it: daemun man | man -l -
    Man,
}

fn main() -> ExitCode {
    let Arguments { command, colours } = Arguments::parse();
    let status = match command {
        Command::Run(arguments) => run::run(&arguments, &colours),
        Command::Controller(arguments) => command::controller::controller(&arguments, &colours),
        Command::Proxy(arguments) => proxy::proxy(&arguments, &colours),
        Command::Check(arguments) => check::check(arguments, &colours),
        Command::Explain(arguments) => command::explain::explain(&arguments, &colours),
        Command::Install(arguments) => install::install(&arguments),
        Command::Verify(what) => command::verify::verify(&what),
        Command::Echo(arguments) => command::echo::echo(&arguments),
        Command::Completions(arguments) => {
            completions::completions(&arguments, Arguments::command())
        }
        Command::Man => completions::man(Arguments::command()),
    };
    status.into()
}
