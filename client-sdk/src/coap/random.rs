//! Random numbers that nobody can guess: a token is what keeps strangers from answering our requests.

use manywire_coap::Random;

/// The operating system's, drawn in batches.
#[derive(Default)]
pub(super) struct SystemRandom {
    pool: Vec<u64>,
}

impl Random for SystemRandom {
    fn next(&mut self) -> u64 {
        if let Some(number) = self.pool.pop() {
            return number;
        }
        let mut bytes = [0; 8 * BATCH];
        if getrandom::fill(&mut bytes).is_err() {
            // An operating system without randomness: better guessable than not at all.
            return fastrand::u64(..);
        }
        let (numbers, _) = bytes.as_chunks::<8>();
        self.pool
            .extend(numbers.iter().map(|number| u64::from_ne_bytes(*number)));
        self.pool.pop().unwrap_or_default()
    }
}

const BATCH: usize = 32;
