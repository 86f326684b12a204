//! tokaki as its users meet it: the command, its files and its databases.

mod bad_input;
mod scenarios;
mod support;
