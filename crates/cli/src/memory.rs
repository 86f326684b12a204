//! How much memory the process may have, how much it has, and how it is taken from the system.

use std::fs;
use std::sync::Arc;

use nix::sys::resource::{Resource, getrlimit};
use tokaki_core::pipeline::{Gauge, Taken};

/// Limits of control groups, version 2 and 1, as a container sees its own.
const LIMIT_FILES: [&str; 2] = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
/// What the process has, in pages.
const STATISTICS: &str = "/proc/self/statm";

/// The least of all limits that somebody set, in bytes: of the container, and of the process.
pub(crate) fn least_limit() -> Option<u64> {
    let of_process = [Resource::RLIMIT_AS, Resource::RLIMIT_DATA].into_iter().filter_map(limit_of_process);
    limit_of_container().into_iter().chain(of_process).min()
}

fn limit_of_container() -> Option<u64> {
    LIMIT_FILES.iter().find_map(|file| limit(&fs::read_to_string(file).ok()?))
}

/// The limit that a control group states: `max`, or a number beyond any machine's memory, is none.
fn limit(text: &str) -> Option<u64> {
    text.trim().parse().ok().filter(|bytes| *bytes < BEYOND_ANY_MACHINE)
}

/// Version 1 of control groups says with the largest multiple of a page that there is no limit.
const BEYOND_ANY_MACHINE: u64 = 1 << 60;

fn limit_of_process(resource: Resource) -> Option<u64> {
    getrlimit(resource).ok().map(|(soft, _)| soft).filter(|bytes| *bytes < BEYOND_ANY_MACHINE)
}

/// Who looks at the memory of this process; `None` if nobody set a limit, or the system does not tell what is taken.
/// `budget` is the limit of what the process has in memory, besides those that the system set on its addresses.
pub(crate) fn gauge(budget: Option<u64>) -> Option<Arc<dyn Gauge>> {
    let limits = Limits {
        resident: budget,
        addresses: limit_of_process(Resource::RLIMIT_AS),
        data: limit_of_process(Resource::RLIMIT_DATA),
    };
    limits.taken().is_some().then(|| Arc::new(limits) as Arc<dyn Gauge>)
}

/// Limits in bytes, each of another way to count.
struct Limits {
    resident: Option<u64>,
    addresses: Option<u64>,
    data: Option<u64>,
}

impl Gauge for Limits {
    fn taken(&self) -> Option<Taken> {
        let pages = fs::read_to_string(STATISTICS).ok()?;
        let pages: Vec<u64> = pages.split_ascii_whitespace().filter_map(|number| number.parse().ok()).collect();
        let [addresses, resident, shared, _, _, data, _] = pages[..] else { return None };
        // What is shared lies in files as well, and the system takes it back when it needs the room.
        let counts = [(resident.saturating_sub(shared), self.resident), (addresses, self.addresses), (data, self.data)];
        let taken = |(pages, limit): (u64, Option<u64>)| Some(Taken { bytes: pages * page_bytes(), limit: limit? });
        counts.into_iter().filter_map(taken).min_by_key(|taken| taken.limit.saturating_sub(taken.bytes))
    }

    fn give_back(&self) {
        give_back();
    }
}

fn page_bytes() -> u64 {
    const USUAL: u64 = 4_096;
    let size = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten();
    size.and_then(|size| u64::try_from(size).ok()).unwrap_or(USUAL)
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

/// Gives freed memory back to the system, which the allocator would rather keep.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "there is no safe way to say this to the allocator")]
fn give_back() {
    // SAFETY: malloc_trim takes the bytes to keep at the end of the heap, and touches nothing that is in use.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Other allocators share by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn share_pools() {}

/// Other allocators give back by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn give_back() {}

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

    #[test]
    fn of_several_limits_the_nearest_counts() {
        let taken = |resident, data| Limits { resident, addresses: None, data }.taken();
        assert_eq!(taken(None, None), None);
        let only = taken(Some(1 << 40), None).expect("Linux tells");
        assert!(only.bytes > 0 && only.limit == 1 << 40, "{only:?}");
        assert_eq!(taken(Some(1 << 40), Some(1 << 39)).expect("Linux tells").limit, 1 << 39);
        assert_eq!(taken(Some(1 << 20), Some(1 << 39)).expect("Linux tells").limit, 1 << 20);
    }
}
