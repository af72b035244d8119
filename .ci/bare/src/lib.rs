//! The leaves, called where there is no std. See Cargo.toml.
#![no_std]

use core::fmt::Write;

use manywire_envelope::Envelope;
use manywire_mqtt_codec::{Outcome, Policy, Publish, TopicName, Version, decode};
use manywire_senml::{Number, Unit};
use manywire_topics::{Dialect, Form, Topic};

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

/// Text into a buffer of the caller.
struct Buffer<'a> {
    bytes: &'a mut [u8],
    used: usize,
}

impl Write for Buffer<'_> {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        let end = self.used + text.len();
        self.bytes.get_mut(self.used..end).ok_or(core::fmt::Error)?.copy_from_slice(text.as_bytes());
        self.used = end;
        Ok(())
    }
}

/// A publish from its parts to its bytes and back, in `buffer`; its length, or 0.
#[unsafe(no_mangle)]
pub extern "C" fn publish(buffer: &mut [u8; 256]) -> usize {
    round_trip(buffer).unwrap_or(0)
}

fn round_trip(buffer: &mut [u8; 256]) -> Option<usize> {
    let topic = Topic::parse(Dialect::Channels, Form::Path, "/channels/c/messages/bedroom/temperature").ok()?;
    let mut name = [0; 64];
    let mut text = Buffer { bytes: &mut name, used: 0 };
    write!(text, "{}", topic.display(Form::Mqtt).ok()?).ok()?;
    let used = text.used;
    let name = core::str::from_utf8(name.get(..used)?).ok()?;
    let payload = Number::decimal(215, -1).ok()?.to_f64().to_be_bytes();
    let envelope = Envelope { channel: topic.channel().id(), payload: &payload, ..Envelope::default() };
    let mut enveloped = [0; 64];
    let length = envelope.encode(Dialect::Channels, &mut enveloped).ok()?;
    let publish = Publish::new(TopicName::new(name).ok()?, enveloped.get(..length)?);
    let written = publish.encode(Version::V311, buffer).ok()?;
    Unit::parse("Cel")?;
    match decode(buffer.get(..written)?, Version::V311, &Policy::default()).ok()? {
        Outcome::Complete((_, taken)) => Some(taken),
        _ => None,
    }
}

#[cfg(feature = "alloc")]
mod with_alloc {
    use core::alloc::{GlobalAlloc, Layout};

    use manywire_coap as _;
    use manywire_mqtt_codec::{Policy, StreamDecoder, Version};
    use manywire_topics::{Channel, Dialect, Filter, FilterSet, Topic};

    /// No memory at all: the proof is in the linking.
    struct Nothing;

    // SAFETY: a null pointer says that there is no memory, which the contract allows; nothing is ever freed.
    unsafe impl GlobalAlloc for Nothing {
        unsafe fn alloc(&self, _: Layout) -> *mut u8 {
            core::ptr::null_mut()
        }

        unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
    }

    #[global_allocator]
    static ALLOCATOR: Nothing = Nothing;

    /// The parts that allocate; 0 when nothing matches.
    #[unsafe(no_mangle)]
    pub extern "C" fn matches() -> usize {
        count().unwrap_or(0)
    }

    fn count() -> Option<usize> {
        let channel = Channel::new(Dialect::Channels, None, "c").ok()?;
        let mut set = FilterSet::new();
        set.insert(Filter::new(channel, "bedroom/*").ok()?, 1, ());
        let matched = set.matches(Topic::new(channel, "bedroom/lamp").ok()?).count();
        let decoder = StreamDecoder::new(Version::V311, Policy::default());
        Some(matched + manywire_senml::Pack::new().records().len() + size_of_val(&decoder))
    }
}
