//! The peak memory of the process.

use std::fs;

/// Returns the peak resident size of the process in words, if the system provides it.
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
