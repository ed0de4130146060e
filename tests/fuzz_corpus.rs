//! Replays the committed inputs of the fuzz targets: the seeds, and whatever a fuzzer once found.
//!
//! `MILLPOND_WRITE_SEEDS=1 cargo test --test fuzz_corpus` writes the seeds anew after a change of `fuzz/src/seeds.rs`.

use std::{fs, path::PathBuf};

#[path = "../fuzz/src/lib.rs"]
mod targets;

fn folder(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target)
}

#[test]
fn every_committed_input_passes() {
    for (target, judge) in targets::TARGETS {
        let entries = fs::read_dir(folder(target)).expect("each target has seeds");
        let mut replayed = 0;
        for entry in entries {
            let path = entry.expect("a readable folder").path();
            println!("{}", path.display());
            judge(&fs::read(&path).expect("a readable input"));
            replayed += 1;
        }
        assert!(replayed >= 4, "only {replayed} inputs for {target}");
    }
}

#[test]
fn every_prefix_of_a_seed_passes() {
    for (target, judge) in targets::TARGETS {
        for (_, seed) in targets::seeds::of(target) {
            (0..seed.len()).for_each(|end| judge(&seed[..end]));
        }
    }
}

#[test]
fn the_seeds_are_committed() {
    for (target, _) in targets::TARGETS {
        let folder = folder(target);
        for (name, octets) in targets::seeds::of(target) {
            let path = folder.join(name);
            if std::env::var_os("MILLPOND_WRITE_SEEDS").is_some() {
                fs::create_dir_all(&folder).expect("a writable folder");
                fs::write(&path, &octets).expect("a writable folder");
            }
            assert_eq!(fs::read(&path).ok(), Some(octets), "{} is not as the seeds say", path.display());
        }
    }
}
