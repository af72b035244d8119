//! Publishes with QoS 1 and does nothing else. See Cargo.toml.
#![no_std]
#![no_main]

use manywire_mqtt_codec::{Delivery, PacketId, Publish, TopicName, Version};

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

/// The entry, so that the linker keeps it: a PUBLISH from bytes not known before, into `packet`; its length, or 0.
#[unsafe(no_mangle)]
pub extern "C" fn _start(topic: &[u8; 19], payload: &[u8; 64], packet: &mut [u8; 128]) -> usize {
    encode(topic, payload, packet).unwrap_or(0)
}

fn encode(topic: &[u8], payload: &[u8], packet: &mut [u8]) -> Option<usize> {
    let topic = TopicName::new(core::str::from_utf8(topic).ok()?).ok()?;
    let publish = Publish {
        delivery: Delivery::AtLeastOnce(PacketId::FIRST),
        ..Publish::new(topic, payload)
    };
    publish.encode(Version::V311, packet).ok()
}
