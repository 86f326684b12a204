//! There is nothing to build. A package that `links` needs a build script.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
}
