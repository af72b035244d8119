//! Random numbers for the endpoint.

/// The operating system's, drawn in batches.
pub(super) fn random() -> impl FnMut() -> u64 + Send {
    let mut pool: Vec<u64> = Vec::new();
    move || {
        if let Some(number) = pool.pop() {
            return number;
        }
        let mut bytes = [0; 512];
        if getrandom::fill(&mut bytes).is_err() {
            // Only jitter and where counting starts depend on it here.
            return fastrand::u64(..);
        }
        let (numbers, _) = bytes.as_chunks::<8>();
        pool.extend(numbers.iter().map(|number| u64::from_ne_bytes(*number)));
        pool.pop().unwrap_or_default()
    }
}
