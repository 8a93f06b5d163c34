//! Programs that run while a scenario is measured: started on one CPU, watched, and ended by their id.
//!
//! They are started through `bench-rig pinned`, so that they end with this process, however it ends.
//! CPU time and memory are read from /proc, over the program and the processes it started itself.

use std::ffi::OsString;
use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// The CPU of the proxy that is measured.
pub(crate) const PROXY: usize = 0;
/// The CPU of everything around it.
pub(crate) const AROUND: usize = 1;

/// A program that runs until it is dropped.
pub(crate) struct Running {
    child: Child,
    log: PathBuf,
}

/// CPU time in microseconds since a program was started.
#[derive(Clone, Copy, Default)]
pub(crate) struct CpuTime {
    pub(crate) total: f64,
    /// What share of it was spent in user mode, as far as the kernel tells (in steps of 10 ms).
    pub(crate) user: f64,
    pub(crate) system: f64,
}

impl Running {
    /// Starts `command` on `cpu`; what it prints goes to `log`.
    pub(crate) fn start(
        rig: &Path,
        cpu: usize,
        command: &[OsString],
        log: PathBuf,
    ) -> Result<Self, String> {
        let said = |error| format!("{} cannot be written: {error}.", log.display());
        let output = File::create(&log).map_err(said)?;
        let errors = output.try_clone().map_err(said)?;
        let child = pinned(rig, cpu, command)
            .stdout(output)
            .stderr(errors)
            .spawn()
            .map_err(|error| format!("{} cannot be started: {error}.", rig.display()))?;
        Ok(Self { child, log })
    }

    /// Waits until something accepts connections on `port`, or the program has ended.
    pub(crate) fn wait_for(&mut self, port: u16) -> Result<(), String> {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let end = now() + Duration::from_secs(20);
        while now() < end {
            if TcpStream::connect(address).is_ok() {
                return Ok(());
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("It ended with {status}.{}", self.said()));
            }
            sleep(Duration::from_millis(10));
        }
        Err(format!(
            "It did not listen on port {port} within 20 s.{}",
            self.said()
        ))
    }

    pub(crate) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The last lines that the program printed.
    pub(crate) fn said(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        let last = &lines[lines.len().saturating_sub(5)..];
        if last.is_empty() {
            String::new()
        } else {
            format!(" It said: {}", last.join(" / "))
        }
    }

    pub(crate) fn cpu(&self) -> CpuTime {
        self.processes()
            .into_iter()
            .map(cpu_of)
            .fold(CpuTime::default(), |sum, one| CpuTime {
                total: sum.total + one.total,
                user: sum.user + one.user,
                system: sum.system + one.system,
            })
    }

    /// Resident memory in KiB of the process that serves: the largest one.
    pub(crate) fn resident(&self) -> u64 {
        self.processes()
            .into_iter()
            .map(|id| status(id, "VmRSS:"))
            .max()
            .unwrap_or(0)
    }

    /// The largest resident memory in KiB while `work` was done.
    pub(crate) fn peak<T>(&self, work: impl FnOnce() -> T) -> (u64, T) {
        // "5" sets the high-water mark back to what is resident now (proc_pid_clear_refs(5)).
        let reset = fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5");
        let done = work();
        let peak = if reset.is_ok() {
            status(self.child.id(), "VmHWM:")
        } else {
            self.resident()
        };
        (peak, done)
    }

    fn processes(&self) -> Vec<u32> {
        let id = self.child.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        let children = children.unwrap_or_default();
        std::iter::once(id)
            .chain(children.split_whitespace().flat_map(str::parse))
            .collect()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        signal(&self.child, Signal::TERM);
        let end = now() + Duration::from_secs(3);
        while now() < end {
            if let Ok(Some(_)) = self.child.try_wait() {
                return;
            }
            sleep(Duration::from_millis(5));
        }
        // What it started itself would otherwise stay.
        for id in self.processes().into_iter().skip(1) {
            let id = i32::try_from(id).ok().and_then(Pid::from_raw);
            let _gone = id.map(|id| kill_process(id, Signal::KILL));
        }
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// Sends a signal to a child that has not been waited for.
pub(crate) fn signal(child: &Child, signal: Signal) {
    // It may have ended by itself a moment ago.
    let _gone = kill_process(Pid::from_child(child), signal);
}

/// `command`, to be run on `cpu` and to end with this process.
pub(crate) fn pinned(rig: &Path, cpu: usize, command: &[OsString]) -> Command {
    let mut pinned = Command::new(rig);
    pinned
        .arg("pinned")
        .arg("--cpu")
        .arg(cpu.to_string())
        .arg("--")
        .args(command);
    pinned.stdin(Stdio::null());
    pinned
}

/// A port of the loopback address that nothing listens on.
pub(crate) fn free_port() -> Result<u16, String> {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| format!("There is no free port on 127.0.0.1: {error}."))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the rig measures other processes; Daemun's own clock is not in it"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// The scheduler's own count is exact to the nanosecond; the user and system shares come in ticks.
fn cpu_of(process: u32) -> CpuTime {
    let (user, system) = ticks(process);
    let tasks = fs::read_dir(format!("/proc/{process}/task"));
    let nanoseconds: f64 = tasks
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|task| fs::read_to_string(task.path().join("schedstat")).ok())
        .filter_map(|line| line.split(' ').next()?.parse::<f64>().ok())
        .sum();
    let total = if nanoseconds > 0.0 {
        nanoseconds / 1e3
    } else {
        user + system
    };
    CpuTime {
        total,
        user,
        system,
    }
}

/// utime and stime of all threads, in microseconds (proc_pid_stat(5); a tick is 10 ms on Linux).
fn ticks(process: u32) -> (f64, f64) {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name in parentheses may hold spaces; what follows it starts with field 3.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let mut fields = fields
        .split_whitespace()
        .skip(11)
        .map(|field| field.parse().unwrap_or(0.0));
    (
        fields.next().unwrap_or(0.0) * 1e4,
        fields.next().unwrap_or(0.0) * 1e4,
    )
}

/// A line of /proc/PID/status that is in KiB.
fn status(process: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .unwrap_or_default();
    line.split_whitespace()
        .next()
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}
