//! The command `manywire`.
fn main() {}
