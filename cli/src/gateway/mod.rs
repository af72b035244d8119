//! `manywire gateway`: the platform's messaging in this process, and how to use it.

mod arguments;
mod usage;

use std::process::ExitCode;

use manywire_gateway::Running;

pub(crate) use self::arguments::GatewayArgs;
use self::usage::Who;
use crate::report::failure;

pub(crate) async fn run(arguments: GatewayArgs) -> ExitCode {
    arguments.log();
    let (gateway, who) = match start(arguments).await {
        Ok(started) => started,
        Err(error) => return failure("the gateway does not start", error.as_ref()),
    };
    print!("{}", who.usage(&gateway));
    if let Err(error) = stop_signal().await {
        return failure("cannot wait for a signal", &error);
    }
    gateway.stop().await;
    ExitCode::SUCCESS
}

async fn start(arguments: GatewayArgs) -> Result<(Running, Who), Box<dyn std::error::Error>> {
    let (builder, who) = arguments.builder()?;
    Ok((builder.start().await?, who))
}

/// Ctrl-C or, where there is one, SIGTERM.
async fn stop_signal() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
