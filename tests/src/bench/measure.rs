//! What a program took.

use std::process::{Command, Output};
use std::time::Instant;

use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeVal;
use serde::{Deserialize, Serialize};

use crate::Result;

/// What one run of a program took, and what it said.
#[derive(Debug, Clone)]
pub(super) struct Measured {
    pub(super) cost: Cost,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

/// What one run of a program took.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Cost {
    /// Wall clock, from start to end of the process.
    pub wall_seconds: f64,
    /// CPU in the program.
    pub user_seconds: f64,
    /// CPU in the kernel for the program.
    pub system_seconds: f64,
    /// Most memory, as the program itself tells at its end.
    pub peak_memory_bytes: Option<u64>,
}

impl Cost {
    /// CPU seconds of both kinds.
    pub fn cpu_seconds(&self) -> f64 {
        self.user_seconds + self.system_seconds
    }
}

/// The one thing that every contender tells of itself. `getrusage` would not do: its `max_rss` begins with what the
/// process held before it became the program.
#[derive(Debug, Deserialize)]
struct OwnWords {
    peak_memory_bytes: Option<u64>,
}

/// Runs `command`, which must be the only child of this process meanwhile: the kernel counts children together.
///
/// # Errors
/// The command cannot be started, fails, or says nothing of itself.
pub(super) fn measure(command: &mut Command) -> Result<Measured> {
    let program = command.get_program().to_string_lossy().into_owned();
    let before = children()?;
    let started = Instant::now();
    let output = command.output().map_err(|error| format!("`{program}` could not be started: {error}"))?;
    let wall_seconds = started.elapsed().as_secs_f64();
    let after = children()?;
    let Output { status, stdout, stderr } = output;
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    if !status.success() {
        return Err(format!("`{program}` failed: {status}\n{stdout}{stderr}").into());
    }
    let own: OwnWords = stdout
        .lines()
        .last()
        .and_then(|line| serde_json::from_str(line).ok())
        .ok_or_else(|| format!("`{program}` did not end with a JSON object about itself:\n{stdout}"))?;
    let cost = Cost {
        wall_seconds,
        user_seconds: seconds(after.user_time()) - seconds(before.user_time()),
        system_seconds: seconds(after.system_time()) - seconds(before.system_time()),
        peak_memory_bytes: own.peak_memory_bytes,
    };
    Ok(Measured { cost, stdout: stdout.into_owned(), stderr: stderr.into_owned() })
}

fn children() -> Result<Usage> {
    Ok(getrusage(UsageWho::RUSAGE_CHILDREN)?)
}

fn seconds(time: TimeVal) -> f64 {
    time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6
}

/// The most memory that this program has had, in bytes; `None` where the system does not keep the mark.
pub fn own_peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_measured_and_says_its_peak() {
        let mut echo = Command::new("sh");
        echo.args(["-c", r#"echo first; echo '{"peak_memory_bytes": 42}'; echo aside >&2"#]);
        let measured = measure(&mut echo).expect("a measurement");
        assert_eq!(measured.cost.peak_memory_bytes, Some(42));
        assert_eq!(measured.stderr, "aside\n");
        assert!(measured.cost.wall_seconds > 0.0 && measured.cost.cpu_seconds() >= 0.0);
    }

    #[test]
    fn a_program_that_fails_is_no_measurement() {
        let error = measure(Command::new("sh").args(["-c", "echo reason >&2; exit 3"])).expect_err("a failure");
        assert!(error.to_string().contains("reason"), "{error}");
        assert!(measure(Command::new("true").arg("")).is_err());
    }
}
