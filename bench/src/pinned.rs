//! Starts a program on one CPU, to end when the caller does.
//!
//! Both are set before the program is executed in this process, so that every thread it starts
//! inherits the CPU, and so that an interrupted rig leaves nothing behind. What the program itself
//! starts (nginx's worker) ends by the program's own answer to SIGTERM.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::process::{Signal, set_parent_process_death_signal};
use rustix::thread::{CpuSet, sched_setaffinity};

use crate::Failure;

/// Becomes `command`, on `cpu`. Returns only when that fails.
pub(crate) fn run(cpu: usize, command: &[OsString]) -> Result<(), Failure> {
    let (program, arguments) = command
        .split_first()
        .ok_or("There is no program to start.")?;
    let mut cpus = CpuSet::new();
    cpus.set(cpu);
    sched_setaffinity(None, &cpus)
        .map_err(|error| format!("CPU {cpu} cannot be used: {error}."))?;
    set_parent_process_death_signal(Some(Signal::TERM))?;
    let error = Command::new(program).args(arguments).exec();
    Err(format!("{} cannot be started: {error}.", program.display()).into())
}
