//! What was measured on.

use std::fs;

use serde::Serialize;

use super::contender::threads;

/// The machine; `unknown` where it does not tell.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// Model of the processor.
    pub cpu: String,
    /// Cores that this process may use.
    pub cores: usize,
    /// Memory of the machine.
    pub memory: String,
    /// Operating system and its kernel.
    pub kernel: String,
}

impl Machine {
    /// This one.
    pub(super) fn here() -> Self {
        let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
        let unknown = || "unknown".to_owned();
        Self {
            cpu: field(&read("/proc/cpuinfo"), "model name").unwrap_or_else(unknown),
            cores: threads(),
            memory: field(&read("/proc/meminfo"), "MemTotal").unwrap_or_else(unknown),
            kernel: format!("{} {}", std::env::consts::OS, read("/proc/sys/kernel/osrelease").trim()),
        }
    }
}

/// The value of the first line `name : value`.
fn field(text: &str, name: &str) -> Option<String> {
    let mut fields = text.lines().filter_map(|line| line.split_once(':'));
    fields.find(|(found, _)| found.trim() == name).map(|(_, value)| value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_field_of_a_name_counts() {
        let text = "processor\t: 0\nmodel name\t: Fast\n\nmodel name\t: Slow\n";
        assert_eq!(field(text, "model name").as_deref(), Some("Fast"));
        assert_eq!(field(text, "flags"), None);
    }
}
