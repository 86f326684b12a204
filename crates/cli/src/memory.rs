//! How much memory the process may have, and how it is taken from the system.

use std::fs;

/// Limits of control groups, version 2 and 1, as a container sees its own.
const LIMIT_FILES: [&str; 2] = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];

/// Bytes that the container may have; `None` outside of one, and where nobody set a limit.
pub(crate) fn limit_of_container() -> Option<u64> {
    LIMIT_FILES.iter().find_map(|file| limit(&fs::read_to_string(file).ok()?))
}

/// The limit that a control group states: `max`, or a number beyond any machine's memory, is none.
fn limit(text: &str) -> Option<u64> {
    /// Version 1 says so with the largest multiple of a page.
    const BEYOND_ANY_MACHINE: u64 = 1 << 60;
    text.trim().parse().ok().filter(|bytes| *bytes < BEYOND_ANY_MACHINE)
}

/// Lets all threads take memory from few common pools. glibc gives each thread one of its own, and what a thread that
/// reads, folds or writes gives back is then of no use to the others: a run of a month needed 306 MB with pools per
/// thread and 130 MB with one, in the same time.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "there is no safe way to say this to the allocator before threads start")]
pub(crate) fn share_pools() {
    /// With more threads than this on a pool they would wait for each other.
    const THREADS_PER_POOL: usize = 4;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let pools = i32::try_from(threads.div_ceil(THREADS_PER_POOL)).unwrap_or(i32::MAX);
    // SAFETY: mallopt takes two numbers and changes nothing but the allocator's own settings; an unknown setting is
    // refused. No other thread is running yet.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, pools);
    }
}

/// Other allocators share by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn share_pools() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_limit_is_said_in_two_ways() {
        assert_eq!(limit("268435456\n"), Some(256 << 20));
        assert_eq!(limit("max\n"), None);
        assert_eq!(limit("9223372036854771712\n"), None);
        assert_eq!(limit(""), None);
    }
}
