//! Parts of packs: fragments, FETCH and PATCH.

use manywire_senml::{Fetch, Format, Fragment, Patch, from_slice};

use crate::{E, text};

#[test]
fn r41_fragments_select_records_and_keep_their_meaning() {
    let pack = from_slice(
        br#"[{"bn":"x:","n":"a","v":1},{"n":"b","v":2},{"n":"c","v":3},{"n":"d","v":4}]"#,
        Format::Json,
    )
    .unwrap();
    let selected = |fragment: &str| {
        let selected = pack.select(&Fragment::parse(fragment).unwrap()).unwrap();
        selected
            .resolve(None)
            .unwrap()
            .iter()
            .map(|reading| reading.name.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(selected("rec=3"), ["x:c"]);
    assert_eq!(selected("#rec=2-3"), ["x:b", "x:c"]);
    assert_eq!(selected("rec=1,3-*"), ["x:a", "x:c", "x:d"]);
    assert_eq!(selected("rec=*"), ["x:d"]);
    for wrong in [
        "", "rec=", "rec=0", "rec=1-", "rec=a", "rec=1,,2", "record=1", "rec=+1",
    ] {
        assert_eq!(
            Fragment::parse(wrong).unwrap_err().kind(),
            E::FragmentForm,
            "{wrong}"
        );
    }
}

#[test]
fn r42_fetch_records_have_names_times_and_units_only() {
    let fetch = |json: &str| Fetch::from_slice(json.as_bytes(), Format::Json).map_err(|error| error.kind());
    assert!(fetch(r#"[{"bn":"a","bt":1,"bu":"V","n":"b","t":2,"u":"A"}]"#).is_ok());
    assert_eq!(fetch(r#"[{"n":"a","v":1}]"#).unwrap_err(), E::FetchField);
    assert_eq!(fetch(r#"[{"n":"a","x":1}]"#).unwrap_err(), E::FetchField);
    assert_eq!(fetch(r#"[{"u":"V"}]"#).unwrap_err(), E::FetchName);
    assert_eq!(fetch("[]").unwrap_err(), E::EmptyPack);
}

#[test]
fn r43_fetch_matches_names_and_what_else_is_said() {
    let pack = from_slice(
        br#"[{"n":"a","u":"V","v":1},{"n":"a","u":"V","t":5,"v":2},{"n":"b","v":3}]"#,
        Format::Json,
    )
    .unwrap();
    let fetch = |json: &str| {
        text(
            &Fetch::from_slice(json.as_bytes(), Format::Json)
                .unwrap()
                .apply(&pack)
                .unwrap(),
        )
    };
    assert_eq!(
        fetch(r#"[{"n":"a"},{"n":"a"}]"#),
        r#"[{"n":"a","u":"V","v":1},{"n":"a","u":"V","v":2,"t":5}]"#
    );
    assert_eq!(
        fetch(r#"[{"n":"a","t":5}]"#),
        r#"[{"n":"a","u":"V","v":2,"t":5}]"#
    );
    assert_eq!(fetch(r#"[{"n":"a","t":0}]"#), r#"[{"n":"a","u":"V","v":1}]"#);
    assert_eq!(fetch(r#"[{"n":"b","u":"V"}]"#), "[]");
}

#[test]
fn r44_patches_add_replace_and_remove_all_or_nothing() {
    let apply = |target: &str, patch: &str| {
        let mut pack = from_slice(target.as_bytes(), Format::Json).unwrap();
        let patch = Patch::from_slice(patch.as_bytes(), Format::Json).map_err(|error| error.kind())?;
        let applied = patch.apply(&mut pack).map_err(|error| error.kind());
        if applied.is_err() {
            assert_eq!(text(&pack), target, "nothing happened");
        }
        applied.map(|()| text(&pack))
    };
    let target = r#"[{"n":"a","v":1},{"n":"b","v":1},{"n":"b","v":2,"t":5}]"#;
    assert_eq!(
        apply(target, r#"[{"n":"c","s":1}]"#).unwrap(),
        format!("{},{}", &target[..target.len() - 1], r#"{"n":"c","s":1}]"#)
    );
    assert_eq!(
        apply(target, r#"[{"n":"b","t":5,"v":7}]"#).unwrap(),
        r#"[{"n":"a","v":1},{"n":"b","v":1},{"n":"b","v":7,"t":5}]"#
    );
    assert_eq!(
        apply(target, r#"[{"n":"a","v":null},{"n":"z","v":null}]"#).unwrap(),
        r#"[{"n":"b","v":1},{"n":"b","v":2,"t":5}]"#
    );
    assert_eq!(
        apply(target, r#"[{"n":"a","v":9},{"n":"b","v":9}]"#).unwrap_err(),
        E::PatchAmbiguous
    );
    assert_eq!(apply(target, r#"[{"n":"a"}]"#).unwrap_err(), E::PatchValue);
    assert_eq!(apply(target, r#"[{"v":1}]"#).unwrap_err(), E::FetchName);
}
