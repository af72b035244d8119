//! The bytes of every scenario, written by hand so that no contestant's encoder is favoured.

/// The packet identifier wherever one is needed.
pub const PACKET_ID: u16 = 0x1234;
/// In seconds, wherever a packet says when something expires.
pub const EXPIRY: u32 = 3_600;

/// What an application hands over to be published.
pub struct Message {
    pub topic: &'static str,
    pub payload: &'static [u8],
    pub content_type: &'static str,
    pub user_properties: [(&'static str, &'static str); 2],
}

/// The message of scenario a: topic 20 bytes, payload 64 bytes, nothing else.
pub const SMALL: Message = Message {
    topic: "plant/7/line/3/state",
    payload: b"[{\"bn\":\"urn:dev:7:\",\"n\":\"voltage\",\"u\":\"V\",\"v\":120.1,\"t\":-3.250}]",
    content_type: "",
    user_properties: [("", ""); 2],
};

/// The message of scenario c: payload 128 bytes, and besides what is here a payload format and an expiry.
pub const WITH_PROPERTIES: Message = Message {
    payload: &[b'x'; 128],
    content_type: "application/senml+json",
    user_properties: [("site", "hamburg-3"), ("trace", "4bf92f3577b34da6")],
    ..SMALL
};

const FILTERS: [&str; 8] = [
    "plant/7/line/3/state",
    "plant/+/line/+/state",
    "plant/7/#",
    "plant/7/line/3/temperature",
    "commands/7/+",
    "commands/broadcast",
    "firmware/7/stable",
    "status/gateway/7",
];

/// Which standard the bytes follow.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Version {
    V311,
    V5,
}

impl Version {
    /// As the names of the cases end.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::V311 => "311",
            Self::V5 => "5",
        }
    }
}

/// Scenario a: a QoS 0 PUBLISH, topic 20 bytes, payload 64 bytes.
pub fn small_publish(version: Version) -> Vec<u8> {
    publish(version, SMALL.topic, 0, SMALL.payload, false)
}

/// Scenario b: a QoS 1 PUBLISH of 1 KiB.
pub fn large_publish(version: Version) -> Vec<u8> {
    publish(version, SMALL.topic, 1, &[b'x'; 1_024], false)
}

/// Scenario c: an MQTT 5 QoS 1 PUBLISH with five properties, two of them user properties, payload 128 bytes.
pub fn publish_with_properties() -> Vec<u8> {
    publish(Version::V5, SMALL.topic, 1, WITH_PROPERTIES.payload, true)
}

/// Scenario d: a CONNECT with a will, a user name and a password.
pub fn connect(version: Version) -> Vec<u8> {
    let mut body = Vec::new();
    string(&mut body, b"MQTT");
    body.push(if version == Version::V5 { 5 } else { 4 });
    body.push(0b1100_1110); // user name, password, will at QoS 1, clean session
    body.extend(60_u16.to_be_bytes());
    if version == Version::V5 {
        body.push(8);
        body.push(0x11); // session expiry interval
        body.extend(EXPIRY.to_be_bytes());
        body.push(0x21); // receive maximum
        body.extend(100_u16.to_be_bytes());
    }
    string(&mut body, b"gateway-hamburg-0007");
    if version == Version::V5 {
        body.push(5);
        body.push(0x18); // will delay interval
        body.extend(30_u32.to_be_bytes());
    }
    string(&mut body, b"status/gateway/7");
    string(&mut body, b"offline");
    string(&mut body, b"fe6b4e92-cc98-425e-b0aa-");
    string(&mut body, b"0b2e5f3a-secret-of-thing");
    packet(0x10, &body)
}

/// Scenario e: a SUBSCRIBE with eight filters.
pub fn subscribe(version: Version) -> Vec<u8> {
    let mut body = PACKET_ID.to_be_bytes().to_vec();
    if version == Version::V5 {
        body.push(0);
    }
    for filter in FILTERS {
        string(&mut body, filter.as_bytes());
        body.push(1);
    }
    packet(0x82, &body)
}

/// Scenario f: 10,000 packets, 74 % of them PUBLISH, the rest acknowledgements, subscriptions and pings.
pub fn mixed(version: Version) -> Vec<u8> {
    let payload = [b'x'; 384];
    let mut stream = Vec::new();
    let mut random = Random(0x5eed);
    for _ in 0..10_000 {
        match random.below(100) {
            0..74 => {
                let topic = [
                    "plant/7/line/3/state",
                    "plant/7/line/3/temperature/inner",
                    "status/7",
                    "a/b",
                ][random.below(4)];
                let size = [16, 64, 64, 128, 384][random.below(5)];
                let qos = u8::from(random.below(5) < 2);
                let properties = version == Version::V5 && random.below(5) == 0;
                stream.extend(publish(version, topic, qos, &payload[..size], properties));
            }
            74..90 => stream.extend(packet(0x40, &PACKET_ID.to_be_bytes())),
            90..92 => stream.extend(subscribe(version)),
            92..94 => stream.extend(suback(version)),
            94..97 => stream.extend(packet(0xc0, &[])),
            _ => stream.extend(packet(0xd0, &[])),
        }
    }
    stream
}

fn suback(version: Version) -> Vec<u8> {
    let mut body = PACKET_ID.to_be_bytes().to_vec();
    if version == Version::V5 {
        body.push(0);
    }
    body.extend([1; FILTERS.len()]);
    packet(0x90, &body)
}

fn publish(version: Version, topic: &str, qos: u8, payload: &[u8], properties: bool) -> Vec<u8> {
    let mut body = Vec::new();
    string(&mut body, topic.as_bytes());
    if qos > 0 {
        body.extend(PACKET_ID.to_be_bytes());
    }
    if version == Version::V5 {
        let mut block = Vec::new();
        if properties {
            block.extend([0x01, 1]);
            block.push(0x02);
            block.extend(EXPIRY.to_be_bytes());
            block.push(0x03);
            string(&mut block, WITH_PROPERTIES.content_type.as_bytes());
            for (name, value) in WITH_PROPERTIES.user_properties {
                block.push(0x26);
                string(&mut block, name.as_bytes());
                string(&mut block, value.as_bytes());
            }
        }
        body.push(u8::try_from(block.len()).expect("the block is short"));
        body.extend(block);
    }
    body.extend(payload);
    packet(0x30 | qos << 1, &body)
}

fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![first];
    let mut length = body.len();
    while length >= 0x80 {
        packet.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    packet.push(length as u8);
    packet.extend(body);
    packet
}

fn string(body: &mut Vec<u8>, text: &[u8]) {
    body.extend(
        u16::try_from(text.len())
            .expect("the text is short")
            .to_be_bytes(),
    );
    body.extend(text);
}

/// A fixed sequence, so that every run decodes the same stream.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}
