//! How much memory the process has taken.

use std::fs;

/// Prints the greatest resident size of the process so far, where the system tells, beside what is aimed at.
pub(crate) fn print(aim: u64) {
    match mebibytes() {
        Some(peak) => println!("peak memory {peak} MiB, aim less than {aim} MiB"),
        None => println!("peak memory not measured: this system has no /proc/self/status"),
    }
}

fn mebibytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? / 1024)
}
