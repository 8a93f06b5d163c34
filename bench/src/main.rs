//! The parts of the load rig that must be fast, in one binary.
//!
//! `cargo xtask bench` builds this in release and starts it beside the proxies: `backend` answers behind
//! them, `floor` is the least that a proxy can cost, `load` sends requests at a fixed rate, `pinned`
//! starts any program on one CPU. What is measured, and how, is `xtask`'s business and README.md's.

mod backend;
mod floor;
mod load;
mod pinned;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What every part of the rig ends with when it cannot go on.
type Failure = Box<dyn std::error::Error>;

#[derive(Parser)]
#[command(about = "The fast parts of Daemun's load rig; started by `cargo xtask bench`.")]
struct Arguments {
    #[command(subcommand)]
    part: Part,
}

#[derive(Subcommand)]
enum Part {
    /// Answers every GET with a body of a fixed size over HTTP/1.1.
    Backend {
        /// Where requests are answered.
        #[arg(long)]
        listen: SocketAddr,
        /// Where the count of answers is told, one line per connection.
        #[arg(long)]
        control: SocketAddr,
        /// Bytes in the body of every answer.
        #[arg(long, default_value_t = 512)]
        body: usize,
    },
    /// Passes bytes between a client and a server without looking at them.
    Floor {
        /// Where clients connect.
        #[arg(long)]
        listen: SocketAddr,
        /// Where their bytes go.
        #[arg(long)]
        to: SocketAddr,
    },
    /// Sends requests at a fixed rate and reports the latencies as JSON.
    Load(load::Plan),
    /// Starts a program on one CPU, to end when the caller does.
    Pinned {
        /// The CPU's number.
        #[arg(long)]
        cpu: usize,
        /// The program and its arguments.
        #[arg(trailing_var_arg = true, required = true)]
        command: Vec<OsString>,
    },
}

fn main() -> ExitCode {
    let ended = match Arguments::parse().part {
        Part::Backend {
            listen,
            control,
            body,
        } => backend::run(listen, control, body),
        Part::Floor { listen, to } => floor::run(listen, to),
        Part::Load(plan) => load::run(&plan),
        Part::Pinned { cpu, command } => pinned::run(cpu, &command),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("bench-rig: {failure}");
            ExitCode::FAILURE
        }
    }
}
