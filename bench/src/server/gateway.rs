//! Our gateway, as `manywire gateway` runs it.

use std::io::BufRead;

use manywire_gateway::{Gateway, Limits, Thing};

use crate::gateway::{CHANNEL, KEY, THING};

/// Serves with the data directory that the first line of the input names, or without one if it is empty.
pub fn serve() {
    let mut directory = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut directory)
        .expect("the input says the data directory");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let mut limits = Limits::default();
        // The bench is in more of a hurry than 10,000 devices.
        limits.connections_per_second = u32::MAX;
        let thing = Thing::new(THING).uses(CHANNEL).expect("the channel is one");
        let mut builder = Gateway::builder().limits(limits).thing(thing, KEY);
        if !directory.trim().is_empty() {
            builder = builder.data_directory(directory.trim());
        }
        let gateway = builder.start().await.expect("the gateway starts");
        super::say(gateway.mqtt_address().expect("MQTT is on").port());
        // The input ends with the process that started this one.
        let end = tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
        end.await.ok();
        gateway.stop().await;
    });
}
