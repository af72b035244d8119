/// Where tokens, message ids and jitter come from.
///
/// A token is what stops a stranger off the path from answering a request (RFC 7252 §5.3.1), so the numbers must be
/// unpredictable wherever datagrams can be forged.
pub trait Random {
    /// The next 64 random bits.
    fn next(&mut self) -> u64;
}

impl<F: FnMut() -> u64> Random for F {
    fn next(&mut self) -> u64 {
        self()
    }
}
