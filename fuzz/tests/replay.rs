//! Replays every fuzz body on stable Rust: its corpus as it is, then a fixed number of mutations of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use manywire_fuzz::{TARGETS, Target};

/// Mutated inputs per target. Enough to meet every branch of a parser, few enough for every `cargo test`.
const MUTATIONS: usize = 4_000;

#[test]
fn every_body_holds_on_its_corpus_and_on_mutations_of_it() {
    for target in TARGETS {
        let corpus = corpus(target);
        assert!(!corpus.is_empty(), "corpus/{} is empty", target.name);
        for (path, bytes) in &corpus {
            run(target, bytes, &path.display().to_string());
        }
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        for round in 0..MUTATIONS {
            let seed = &corpus[random.below(corpus.len())].1;
            let other = &corpus[random.below(corpus.len())].1;
            let bytes = mutate(seed, other, &mut random);
            run(target, &bytes, &format!("mutation {round}"));
        }
    }
}

#[test]
fn every_target_has_its_row_its_binary_and_its_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rows: BTreeSet<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let binaries: BTreeSet<String> = manifest
        .split("[[bin]]")
        .skip(1)
        .map(|bin| bin.split('"').nth(1).unwrap().to_owned())
        .collect();
    let files: BTreeSet<String> = fs::read_dir(root.join("fuzz_targets"))
        .unwrap()
        .map(|entry| {
            entry
                .unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(rows, binaries, "TARGETS and the [[bin]] entries of Cargo.toml");
    assert_eq!(rows, files, "TARGETS and the files of fuzz_targets/");
}

/// Runs one body; when its law breaks, says with which bytes.
fn run(target: &Target, bytes: &[u8], origin: &str) {
    if let Err(panic) = std::panic::catch_unwind(|| (target.body)(bytes)) {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        eprintln!("{} broke on {origin}: {hex}", target.name);
        std::panic::resume_unwind(panic);
    }
}

/// The files of a target's corpus, in the order of their names.
fn corpus(target: &Target) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target.name);
    let Ok(entries) = fs::read_dir(&folder) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
        .into_iter()
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect()
}

/// One to four of the usual changes: flip, set, insert, remove, truncate, repeat, splice.
fn mutate(seed: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        match random.below(7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 if at < bytes.len() => bytes[at] = [0, 1, 0x7f, 0x80, 0xff, b'#', b'+', b'/'][random.below(8)],
            2 => bytes.insert(at, random.next() as u8),
            3 if at < bytes.len() => drop(bytes.remove(at)),
            4 => bytes.truncate(at),
            5 => {
                let tail = bytes
                    .get(at..(at + random.below(8)).min(bytes.len()))
                    .unwrap_or_default()
                    .to_vec();
                bytes.splice(at..at, tail);
            }
            _ => {
                bytes.truncate(at);
                bytes.extend_from_slice(&other[random.below(other.len() + 1)..]);
            }
        }
    }
    bytes
}

/// xorshift64*: the same inputs on every machine and in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next()).unwrap_or(0) % bound.max(1)
    }
}
