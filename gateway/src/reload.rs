//! Taking over the things of a settings file whenever it changes.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::{MissedTickBehavior, interval};

use crate::Config;
use crate::hub::Hub;
use crate::identity::{Registry, Secret, Thing};

/// Looks at the file every second and replaces the things, but for those besides it, when it has changed. A file that cannot be used
/// changes nothing: losing everybody's rights because of a typing error would be worse.
pub(crate) async fn follow(path: PathBuf, registry: Registry, besides: Vec<(Thing, Secret)>, hub: Arc<Hub>) {
    let mut seen = stamp(&path);
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let now = stamp(&path);
        if now == seen {
            continue;
        }
        seen = now;
        let reading = path.clone();
        match tokio::task::spawn_blocking(|| Config::read(reading)).await {
            Ok(Ok(config)) => {
                for (thing, key) in &besides {
                    if let Err(error) = config.registry().add(thing.clone(), key.clone()) {
                        tracing::error!(%error, "a thing is in the file and in the program");
                    }
                }
                registry.replace_with(config.registry());
                hub.metrics().reloads.add(1);
                tracing::info!(path = %path.display(), things = registry.len(), "took over the changed things");
            }
            Ok(Err(error)) => {
                hub.metrics().failed_reloads.add(1);
                let cause = std::error::Error::source(&error)
                    .map(ToString::to_string)
                    .unwrap_or_default();
                tracing::error!(path = %path.display(), %error, cause, "keeping the things as they were");
            }
            // The runtime ends.
            Err(_) => return,
        }
    }
}

/// What differs when a file has been written or replaced; `None` while there is none.
fn stamp(path: &PathBuf) -> Option<(SystemTime, u64)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

const PERIOD: Duration = Duration::from_secs(1);
