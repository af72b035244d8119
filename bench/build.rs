//! Links libmosquitto if it is installed, so that its matching can be measured beside ours.

use std::process::Command;

fn main() {
    println!("cargo:rustc-check-cfg=cfg(mosquitto)");
    println!("cargo:rerun-if-changed=build.rs");
    let found = Command::new("pkg-config")
        .args(["--exists", "libmosquitto"])
        .status();
    if found.is_ok_and(|status| status.success()) {
        println!("cargo:rustc-cfg=mosquitto");
        println!("cargo:rustc-link-lib=dylib=mosquitto");
    }
}
