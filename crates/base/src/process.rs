//! What this process costs, read from /proc, and written as the metrics that every exporter calls the same
//! (`process_*`). Where there is no /proc, a line is left out rather than guessed.

use std::fmt::{self, Write};
use std::fs;

/// Ticks in a second, in which Linux counts CPU time towards programs (`USER_HZ`, the same everywhere).
const TICKS: f64 = 100.0;

/// What the process has used until now.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// CPU time of all threads, in seconds.
    pub cpu_seconds: Option<f64>,
    /// Resident memory, in bytes.
    pub resident_bytes: Option<u64>,
    /// Open file descriptors.
    pub open_files: Option<u64>,
}

/// Looks at /proc/self.
pub fn usage() -> Usage {
    let read = |file: &str| fs::read_to_string(format!("/proc/self/{file}")).ok();
    let files = fs::read_dir("/proc/self/fd").ok();
    Usage {
        cpu_seconds: read("stat").as_deref().and_then(cpu_seconds),
        resident_bytes: read("status").as_deref().and_then(resident_bytes),
        // One of them is the directory that is being read.
        open_files: files.map(|entries| (entries.count() as u64).saturating_sub(1)),
    }
}

/// Writes the usage as OpenMetrics text, without the end of the exposition.
///
/// # Errors
/// The writer's.
pub fn write_metrics(out: &mut dyn Write) -> fmt::Result {
    let Usage {
        cpu_seconds,
        resident_bytes,
        open_files,
    } = usage();
    if let Some(seconds) = cpu_seconds {
        out.write_str("# HELP process_cpu_seconds CPU time of all threads of the process.\n# TYPE process_cpu_seconds counter\n# UNIT process_cpu_seconds seconds\n")?;
        writeln!(out, "process_cpu_seconds_total {seconds}")?;
    }
    if let Some(bytes) = resident_bytes {
        out.write_str("# HELP process_resident_memory_bytes Memory of the process that is resident.\n# TYPE process_resident_memory_bytes gauge\n# UNIT process_resident_memory_bytes bytes\n")?;
        writeln!(out, "process_resident_memory_bytes {bytes}")?;
    }
    if let Some(files) = open_files {
        out.write_str("# HELP process_open_fds File descriptors that the process has open.\n# TYPE process_open_fds gauge\n")?;
        writeln!(out, "process_open_fds {files}")?;
    }
    Ok(())
}

/// `utime` and `stime` of proc_pid_stat(5). The name of the program, in parentheses, may hold anything.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(") ")?;
    // Field 3 is the first after the name; utime is 14, stime 15.
    let mut fields = fields.split(' ').skip(11);
    let ticks = |field: Option<&str>| field?.parse::<f64>().ok();
    Some((ticks(fields.next())? + ticks(fields.next())?) / TICKS)
}

/// `VmRSS` of proc_pid_status(5), which is in units of 1024 bytes.
fn resident_bytes(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::{cpu_seconds, resident_bytes, usage};

    #[test]
    fn a_program_with_a_strange_name_is_read_like_any_other() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 3 0 12345 1 2 3";
        assert_eq!(cpu_seconds(stat), Some(3.0));
        assert_eq!(cpu_seconds("nothing"), None);
    }

    #[test]
    fn memory_is_in_bytes() {
        assert_eq!(
            resident_bytes("VmHWM:\t  9 kB\nVmRSS:\t   4 kB\n"),
            Some(4096)
        );
        assert_eq!(resident_bytes("Name: x\n"), None);
    }

    #[test]
    fn this_process_has_memory_and_files() {
        let usage = usage();
        assert!(usage.resident_bytes.is_some_and(|bytes| bytes > 100_000));
        assert!(usage.open_files.is_some_and(|files| files > 2));
        assert!(usage.cpu_seconds.is_some());
    }
}
