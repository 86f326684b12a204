//! tokaki as its users meet it: the command, its files and its databases.

mod architecture;
mod bad_input;
mod config_errors;
mod laws;
mod scenarios;
mod support;
