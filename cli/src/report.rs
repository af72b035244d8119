//! How a command says that it failed.

use std::error::Error;
use std::process::ExitCode;

/// Prints what failed and every cause below it on standard error: `what: error: cause: cause`.
pub(crate) fn failure(what: &str, error: &dyn Error) -> ExitCode {
    let mut text = format!("manywire: {what}: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    eprintln!("{text}");
    ExitCode::FAILURE
}
