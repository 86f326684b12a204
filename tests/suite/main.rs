//! tokaki as its users meet it: the command, its files and its databases.

mod architecture;
mod bad_input;
mod bills;
mod cache;
mod config_errors;
mod convert;
mod derived;
mod faults;
mod iqe;
mod koku_bill;
mod laws;
mod manual;
mod new_scenario;
mod operator;
mod plugin_kit;
mod public_api;
mod s3;
mod scenarios;
mod support;
