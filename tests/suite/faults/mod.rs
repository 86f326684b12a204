//! What goes wrong, on purpose. A test's name begins with the id of its failure: `k` process, `s` object store, `i` input,
//! `p` PostgreSQL, `c` concurrency, `x` security, `r` resources, `t` time. Each asks the same of a run: the destination is as before or complete, the exit code is
//! the documented one, one error says what it was, no secret is shown, and a plain rerun makes everything good.

mod calendar;
mod certificates;
mod concurrency;
mod database;
mod duplicates;
mod input;
mod kill;
mod nothing;
mod process;
mod refusals;
mod resources;
mod security;
mod store;
mod surroundings;
