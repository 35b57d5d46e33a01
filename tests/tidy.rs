//! The house keeps itself: file sizes, import directions, no leftovers.

use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::{Failed, Trial};

/// A wall, not a goal: most files have fewer than 150 lines.
const LINES_MAX: usize = 600;

/// What a package may import of ours.
const IMPORTS: &[(&str, &[&str])] = &[
    ("identity", &[]),
    ("recommend", &[]),
    ("udfs", &["identity", "recommend"]),
    ("catalog", &["identity", "udfs"]),
    ("engine", &["catalog", "identity", "recommend", "udfs"]),
    ("server", &["engine", "catalog", "identity", "udfs"]),
];

/// One trial for each rule.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("tidy::file_sizes", file_sizes),
        Trial::test("tidy::imports", imports),
        Trial::test("tidy::leftovers", leftovers),
        Trial::test("tidy::formatting", formatting),
    ]
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() && name != "target" && !name.to_string_lossy().starts_with('.') {
            sources(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn all_sources() -> Vec<PathBuf> {
    let mut files = Vec::new();
    sources(&root(), &mut files);
    files
}

fn file_sizes() -> Result<(), Failed> {
    let mut long = Vec::new();
    for file in all_sources() {
        let text = std::fs::read_to_string(&file)?;
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        if code.lines().count() > LINES_MAX {
            long.push(format!("{}: {} lines", file.display(), code.lines().count()));
        }
    }
    if long.is_empty() { Ok(()) } else { Err(long.join("\n").into()) }
}

fn imports() -> Result<(), Failed> {
    for (package, allowed) in IMPORTS {
        let manifest = std::fs::read_to_string(root().join(package).join("Cargo.toml"))?;
        let used = manifest.lines().filter_map(|line| line.strip_prefix("clientele-"));
        for name in used.filter_map(|line| line.split(['.', ' ', '=']).next()) {
            if !allowed.contains(&name) {
                return Err(format!("{package} must not import {name}").into());
            }
        }
    }
    Ok(())
}

fn formatting() -> Result<(), Failed> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut check = Command::new(cargo);
    let output = check.args(["fmt", "--all", "--check"]).current_dir(root()).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let places = text.lines().filter(|line| line.starts_with("Diff in")).collect::<Vec<_>>();
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("`cargo fmt --all` would change\n{}", places.join("\n")).into()),
    }
}

fn leftovers() -> Result<(), Failed> {
    let marks = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
    ];
    let mut found = Vec::new();
    for file in all_sources() {
        let text = std::fs::read_to_string(&file)?;
        for (number, line) in text.lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark)) {
                found.push(format!("{}:{}", file.display(), number + 1));
            }
        }
    }
    if found.is_empty() { Ok(()) } else { Err(found.join("\n").into()) }
}
