//! SenML readings are lent without allocating, and nothing is allocated because the input claims it.
//!
//! Here and not beside the crate, because an allocator is `unsafe` and the package forbids that.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use manywire_senml::{Decimals, Encoder, Format, RecordRef, Resolver, from_slice};

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    static BYTES: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

fn count(bytes: usize) {
    // Threads that end have no counters any more, and nobody asks for theirs.
    let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
    let _ = BYTES.try_with(|total| total.set(total.get() + bytes));
}

// SAFETY: everything is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often, and how many bytes, `work` allocates.
fn allocations(work: impl FnOnce()) -> (usize, usize) {
    let before = (ALLOCATIONS.get(), BYTES.get());
    work();
    (ALLOCATIONS.get() - before.0, BYTES.get() - before.1)
}

fn mixed(records: usize) -> String {
    let records: Vec<String> = (0..records)
        .map(|index| match index % 5 {
            0 => format!(
                r#"{{"bn":"urn:dev:{}:","bt":1.7e9,"n":"a","u":"Cel","v":{index}.25}}"#,
                index % 10
            ),
            1 => r#"{"n":"text","vs":"an \"escaped\" text\n","t":-1}"#.to_string(),
            2 => r#"{"n":"data","vd":"aGkgCg","ct":"60","x":[1,{"y":"z"}]}"#.to_string(),
            3 => r#"{"n":"open","vb":true,"s":1e-3}"#.to_string(),
            _ => format!(r#"{{"n":"v{index}","u":"km/h","t":0.{index},"v":1.5e3}}"#),
        })
        .collect();
    format!("[{}]", records.join(","))
}

fn read(resolver: &mut Resolver, bytes: &[u8], format: Format) -> usize {
    let mut readings = resolver.read(bytes, format).unwrap();
    let mut count = 0;
    while readings.next().unwrap().is_some() {
        count += 1;
    }
    count
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(vec![1u8, 2]))), (1, 2));
}

#[test]
fn a_resolver_that_has_warmed_up_allocates_per_pack_and_not_per_record() {
    for format in [Format::Json, Format::Cbor] {
        let pack = |records| {
            let json = mixed(records).into_bytes();
            match format {
                Format::Json => json,
                Format::Cbor => from_slice(&json, Format::Json)
                    .unwrap()
                    .to_vec(format, Decimals::Fractions)
                    .unwrap(),
            }
        };
        let (small, large) = (pack(10), pack(1_000));
        let mut resolver = Resolver::new();
        read(&mut resolver, &large, format);
        let for_small = allocations(|| assert_eq!(read(&mut resolver, &small, format), 10)).0;
        let for_large = allocations(|| assert_eq!(read(&mut resolver, &large, format), 1_000)).0;
        // The labels that are not known are listed once per pack.
        assert!(
            for_large <= for_small + 1 && for_large <= 4,
            "{for_small} and {for_large} {format:?}"
        );
    }
    let plain = br#"[{"bn":"a:","bt":1700000000,"n":"b","u":"Cel","v":21.5},{"n":"c","t":1,"v":2}]"#;
    let mut resolver = Resolver::new();
    read(&mut resolver, plain, Format::Json);
    assert_eq!(
        allocations(|| assert_eq!(read(&mut resolver, plain, Format::Json), 2)),
        (0, 0)
    );
}

#[test]
fn claims_are_not_believed() {
    for claim in [
        "9bffffffffffffffff",
        "81bbffffffffffffffff",
        "81a1007bffffffffffffffff",
        "81a1085bffffffffffffffff",
    ] {
        let bytes: Vec<u8> = (0..claim.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&claim[at..at + 2], 16).unwrap())
            .collect();
        let (_, allocated) = allocations(|| assert!(from_slice(&bytes, Format::Cbor).is_err()));
        assert!(allocated < 2_048, "{claim} allocates {allocated} bytes");
    }
}

#[test]
fn memory_stays_in_proportion_to_the_input() {
    let json = format!("[{}]", vec![r#"{"n":"a","v":1}"#; 10_000].join(","));
    let (_, allocated) = allocations(|| drop(from_slice(json.as_bytes(), Format::Json).unwrap()));
    assert!(
        allocated < json.len() * 64,
        "{allocated} bytes for {}",
        json.len()
    );
}

#[test]
fn the_device_side_allocates_nothing() {
    let mut buffer = [0; 256];
    let allocated = allocations(|| {
        for format in [Format::Json, Format::Cbor] {
            let mut encoder = Encoder::new(&mut buffer, format).unwrap();
            for time in 0..6 {
                let record = RecordRef::new("temperature").time(time).value(23.1).unwrap();
                encoder.push(&record).unwrap();
            }
            assert!(encoder.finish().unwrap().len() > 100);
        }
    });
    assert_eq!(allocated, (0, 0));
}
