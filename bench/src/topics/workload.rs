//! Filters and topics as a building full of sensors has them: a thousand filters to a channel, most of them on paths
//! that others share.

use manywire_topics::{Channel, Dialect, FilterBuf, TopicBuf};

const FLOORS: usize = 5;
const ROOMS: usize = 6;
const SENSORS: usize = 32;
const NEAR: usize = 1 << 10;
/// More topics than a cache holds what they lead to.
const FAR: usize = 1 << 16;

/// What is put into a set, and what is looked up in it.
pub struct Workload {
    pub filters: Vec<FilterBuf>,
    /// Topics of the first channel, which is there at every size.
    pub near: Vec<TopicBuf>,
    /// Topics of every channel, in no order that a cache would like.
    pub far: Vec<TopicBuf>,
}

impl Workload {
    pub fn new(count: usize) -> Self {
        let channels: Vec<String> = (0..count.div_ceil(1_000)).map(id).collect();
        let filters = channels.iter().flat_map(|id| filters(id)).take(count).collect();
        let mut random = Random(0x9E37_79B9_7F4A_7C15);
        let near = (0..NEAR).map(|_| random.topic(&channels[0])).collect();
        let far = (0..FAR).map(|_| {
            let id = &channels[random.below(channels.len())];
            random.topic(id)
        });
        let far = far.collect();
        Self { filters, near, far }
    }
}

/// The thousand filters of one channel: every sensor, every room, and a few across rooms.
fn filters(id: &str) -> Vec<FilterBuf> {
    let rooms = (0..FLOORS).flat_map(|floor| (0..ROOMS).map(move |room| format!("floor{floor}/room{room}")));
    let rooms: Vec<String> = rooms.collect();
    let each = rooms.iter().map(|room| format!("{room}/*"));
    let sensors = rooms
        .iter()
        .flat_map(|room| (0..SENSORS).map(move |sensor| format!("{room}/sensor{sensor}")));
    let across = (0..10).map(|number| format!("floor{}/*/sensor{}", number % FLOORS, number));
    let texts = each.chain(sensors).chain(across);
    texts
        .map(|text| FilterBuf::new(channel(id), &text).expect("a valid filter"))
        .collect()
}

fn channel(id: &str) -> Channel<'_> {
    Channel::new(Dialect::Channels, None, id).expect("a valid channel")
}

/// Something that looks like the UUID it would be.
fn id(number: usize) -> String {
    let bits = (number as u128 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
    let hex = format!("{bits:032x}");
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

/// xorshift64*: the same workload in every run.
struct Random(u64);

impl Random {
    fn topic(&mut self, id: &str) -> TopicBuf {
        let (floor, room, sensor) = (self.below(FLOORS), self.below(ROOMS), self.below(SENSORS));
        TopicBuf::new(channel(id), &format!("floor{floor}/room{room}/sensor{sensor}")).expect("a valid topic")
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % bound
    }
}
