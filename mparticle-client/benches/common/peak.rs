//! How much memory the process has taken.

use std::fs;

/// The greatest resident size of the process so far in words, where the system tells.
pub(crate) fn peak() -> String {
    match mebibytes() {
        Some(peak) => format!("peak memory {peak} MiB"),
        None => "peak memory not measured: this system has no /proc/self/status".to_owned(),
    }
}

fn mebibytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? / 1024)
}
