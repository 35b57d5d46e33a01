//! Matches labelled sets with the shipped defaults, and measures the result against the labels.
//!
//! `match_labelled SETS.txt DIRECTORY [set]`: each line of the first file names a set
//! (`DIRECTORY/set.csv` with columns `rec_id`, `true_id`, perhaps `source`) and the meaning of its
//! columns. Prints one row of a table per set. The labels are read after matching only.
#![expect(clippy::print_stdout, reason = "a tool that prints")]

mod people;

use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clientele_identity::matching::{
    Clustering, Column, Links, Meaning, Pair, Prepared, Records, Settings, cluster, components,
    explain, predict, train,
};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [sets, directory, only @ ..] = &arguments[..] else {
        bail!("usage: match_labelled SETS.txt DIRECTORY [set] [show]");
    };
    println!("{}", Row::HEAD);
    if let Some(count) = sets.strip_prefix("people:") {
        let (rows, begun) = (made_up(directory, count.parse()?)?, cpu_seconds());
        let set = Set::of_people(&rows)?;
        println!("{}", measure(&set, sets, begun, !only.is_empty()));
        return Ok(());
    }
    let sets = std::fs::read_to_string(sets)?;
    for line in sets.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        let Some(name) = words.next() else { continue };
        if only.first().is_none_or(|only| only == name || only == "all") {
            let words: Vec<&str> = words.collect();
            let set = Set::read(&format!("{directory}/{name}.csv"), &words)?;
            let row = measure(&set, name, cpu_seconds(), only.get(1).is_some());
            println!("{row}");
        }
    }
    Ok(())
}

/// People with the names of the labelled sets.
fn made_up(directory: &str, count: usize) -> Result<Vec<people::Record>> {
    let mut found: [BTreeMap<String, usize>; 3] = Default::default();
    let columns = [
        ("febrl3", ["given_name", "surname", "suburb"]),
        ("fake_1000", ["first_name", "surname", "city"]),
        ("historical_50k_dev", ["first_name", "surname", "birth_place"]),
    ];
    for (file, names) in columns {
        let mut reader = csv::Reader::from_path(format!("{directory}/{file}.csv"))?;
        let heads = reader.headers()?.clone();
        let places = names.map(|name| heads.iter().position(|head| head == name).unwrap_or(0));
        for row in reader.records() {
            let row = row?;
            for (counts, place) in found.iter_mut().zip(places) {
                let value = row.get(place).unwrap_or("").to_lowercase();
                if value.len() > 2 && value.is_ascii() {
                    *counts.entry(value).or_default() += 1;
                }
            }
        }
    }
    let [given, family, city] = found.map(|counts| {
        let mut values: Vec<(String, usize)> = counts.into_iter().filter(|(_, n)| *n > 1).collect();
        values.sort_by_key(|(value, count)| (std::cmp::Reverse(*count), value.clone()));
        values.into_iter().map(|(value, _)| value).collect::<Vec<_>>()
    });
    Ok(people::World::new(given, family, city).records(count))
}

/// A set as it was read.
struct Set {
    records: Records,
    settings: Settings,
    truth: Vec<u32>,
    ids: Vec<String>,
}

impl Set {
    fn of_people(rows: &[people::Record]) -> Result<Self> {
        let columns = people::COLUMNS.iter().enumerate().map(|(place, (name, kind, _))| {
            let meaning = Meaning::named(kind).context("meaning")?;
            let values = rows.iter().map(|(_, values)| values[place].as_deref());
            Ok(Column::from_values(name, meaning, values))
        });
        let records = Records {
            columns: columns.collect::<Result<_>>()?,
            source: Vec::new(),
            len: rows.len(),
        };
        let truth = rows.iter().map(|(person, _)| *person).collect();
        Ok(Self {
            records,
            settings: Settings::default(),
            truth,
            ids: vec![String::new(); rows.len()],
        })
    }

    fn read(path: &str, words: &[&str]) -> Result<Self> {
        let mut reader = csv::Reader::from_path(path).with_context(|| path.to_owned())?;
        let heads: Vec<String> = reader.headers()?.iter().map(|h| h.replace(' ', "_")).collect();
        let rows = reader.records().collect::<Result<Vec<_>, _>>()?;
        let column = |name: &str| {
            let place = heads.iter().position(|head| head == name);
            place.with_context(|| format!("column {name} is not in {path}"))
        };
        let mut settings = Settings::default();
        let mut columns = Vec::new();
        for word in words {
            if *word == "across" {
                settings.links = Links::AcrossSources;
                continue;
            }
            let (name, kind) = word.split_once('=').context("column=meaning")?;
            let kind = Meaning::named(kind).with_context(|| format!("meaning {kind}"))?;
            let place = column(name)?;
            let values = rows.iter().map(|row| row.get(place));
            columns.push(Column::from_values(name, kind, values));
        }
        let numbers = |name: &str| -> Result<Vec<u32>> {
            let place = column(name)?;
            let mut known: HashMap<&str, u32> = HashMap::new();
            let number = |row| {
                let next = known.len() as u32;
                *known.entry(csv::StringRecord::get(row, place).unwrap_or("")).or_insert(next)
            };
            Ok(rows.iter().map(number).collect())
        };
        let source = numbers("source").unwrap_or_default();
        let truth = numbers("true_id")?;
        let id = column("rec_id")?;
        let ids = rows.iter().map(|row| row.get(id).unwrap_or("").to_owned()).collect();
        let records = Records { columns, source, len: rows.len() };
        Ok(Self { records, settings, truth, ids })
    }
}

/// One row of the table.
struct Row {
    name: String,
    records: usize,
    candidates: u64,
    block_recall: f64,
    pairs: [f64; 3],
    best_pairs: f64,
    cluster: [f64; 3],
    best_cluster: f64,
    b_cubed: f64,
    best_b_cubed: f64,
    claimed: f64,
    true_share: f64,
    cpu_s: f64,
    peak_mb: f64,
}

impl Row {
    const HEAD: &str = "| set | records | candidates | block recall | pairwise P / R / F1 \
        | best F1 | cluster P / R / F1 | best F1 | B³ | best B³ | claimed / true share of pairs \
        with p ≥ 0.9 | CPU-s | MB |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|";
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let three = |[p, r, f]: [f64; 3]| format!("{p:.4} / {r:.4} / **{f:.4}**");
        write!(
            f,
            "| {} | {} | {} | {:.4} | {} | {:.4} | {} | {:.4} | **{:.4}** | {:.4} \
             | {:.3} / {:.3} | {:.2} | {:.0} |",
            self.name,
            self.records,
            self.candidates,
            self.block_recall,
            three(self.pairs),
            self.best_pairs,
            three(self.cluster),
            self.best_cluster,
            self.b_cubed,
            self.best_b_cubed,
            self.claimed,
            self.true_share,
            self.cpu_s,
            self.peak_mb
        )
    }
}

/// The probability from which two records are linked without review.
const LINK: f64 = 0.9;

/// Thresholds of which the best is shown beside the default.
const GRID: [f64; 11] = [0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.99, 0.999, 0.9999];

fn measure(set: &Set, name: &str, begun: f64, show: bool) -> Row {
    let started = Instant::now();
    let mut marks = vec![("encoded", cpu_seconds() - begun)];
    let mut mark = |what| {
        if show {
            println!("{what} {:.2}", cpu_seconds() - begun);
        }
        marks.push((what, cpu_seconds() - begun));
    };
    let prepared = Prepared::new(&set.records);
    mark("prepared");
    let model = train(&prepared, &set.settings, &mut |stage| mark(stage.name()));
    mark("trained");
    let scored = predict(&prepared, &model, 0.01, set.settings.threads);
    mark("predicted");
    let how = |link: f64| Clustering { link, review: link.min(0.5), ..Clustering::default() };
    let clusters = cluster(&prepared, &model, &scored.pairs, &how(LINK)).of;
    mark("clustered");
    let cpu_s = cpu_seconds() - begun;
    let (wall_s, peak_mb) = (started.elapsed().as_secs_f64(), peak_mb());
    if show {
        println!("{marks:.2?} CPU-s, wall {wall_s:.2} s; lambda {:.3e}", model.lambda);
    }
    let all = match set.records.len > 200_000 {
        true => scored.pairs.clone(),
        false => predict(&prepared, &model, 0.0, set.settings.threads).pairs,
    };
    let truth = Truth::new(set);
    let closure = std::env::var_os("CLOSURE").is_some();
    if show {
        for row in model.rows() {
            println!(
                "  {:20} {} {:44} m {:.4} u {:.6} {:+.2}",
                row.comparison, row.level, row.label, row.m, row.u, row.weight
            );
        }
        for d in &model.dependences {
            let name = |place: usize| &model.comparisons[place].name;
            println!("  {} follows from {}: u {:.4}", name(d.comparison), name(d.given), d.u);
        }
        model.rule_texts().iter().for_each(|rule| println!("  rule {rule}"));
        errors(set, &prepared, &model, &all);
    }
    let weight = |p: f64| (p / (1.0 - p)).log2() as f32;
    let grid: &[f64] = if set.records.len > 200_000 { &[0.5, 0.99] } else { &GRID };
    let pairs_at = |p: f64| truth.pairwise(&scored.pairs, weight(p));
    let clusters_at = |p: f64| match closure {
        true => components(set.records.len, &scored.pairs, weight(p)),
        false => cluster(&prepared, &model, &scored.pairs, &how(p)).of,
    };
    let best = |f: &dyn Fn(f64) -> f64| grid.iter().map(|p| f(*p)).fold(0.0, f64::max);
    let others: Vec<Vec<u32>> = grid.iter().map(|p| clusters_at(*p)).collect();
    let best_of = |f: &dyn Fn(&[u32]) -> f64| others.iter().map(|c| f(c)).fold(0.0, f64::max);
    let sure: Vec<&Pair> = scored.pairs.iter().filter(|pair| pair.probability() >= 0.9).collect();
    let count = sure.len().max(1) as f64;
    Row {
        name: name.to_owned(),
        records: set.records.len,
        candidates: scored.candidates,
        block_recall: truth.pairwise(&all, f32::NEG_INFINITY)[1],
        pairs: pairs_at(LINK),
        best_pairs: best(&|p| pairs_at(p)[2]),
        cluster: truth.clusters(&clusters),
        best_cluster: best_of(&|clusters| truth.clusters(clusters)[2]),
        b_cubed: b_cubed(&clusters, &set.truth),
        best_b_cubed: best_of(&|clusters| b_cubed(clusters, &set.truth)),
        claimed: sure.iter().map(|pair| pair.probability()).sum::<f64>() / count,
        true_share: sure.iter().filter(|pair| truth.same(pair.a, pair.b)).count() as f64 / count,
        cpu_s,
        peak_mb,
    }
}

/// Shows wrong pairs of each kind, so that one can see what the model does not.
fn errors(
    set: &Set,
    prepared: &Prepared,
    model: &clientele_identity::matching::Model,
    all: &[Pair],
) {
    let mut wrong: Vec<&Pair> = all
        .iter()
        .filter(|pair| {
            let same = set.truth[pair.a as usize] == set.truth[pair.b as usize];
            same != (pair.probability() >= LINK)
        })
        .collect();
    wrong.sort_by_key(|pair| (pair.a.wrapping_mul(0x9E37_79B1)) >> 3);
    for pair in wrong.iter().take(40) {
        let same = set.truth[pair.a as usize] == set.truth[pair.b as usize];
        println!(
            "{} {} {} weight {:.2}",
            if same { "MISSED" } else { "FALSE " },
            set.ids[pair.a as usize],
            set.ids[pair.b as usize],
            pair.weight
        );
        let reasons = explain(prepared, model, pair.a, pair.b);
        for column in &set.records.columns {
            let value = |record: u32| {
                let code = column.codes[record as usize] as usize;
                column.dictionary.get(code).map_or("-", String::as_str)
            };
            let short = |v: &str| v.chars().take(60).collect::<String>();
            println!("    {:16} {} | {}", column.name, short(value(pair.a)), short(value(pair.b)));
        }
        for r in reasons.iter().filter(|r| r.level > 0) {
            println!("      {:16} {} {:+.2} {:+.2}", r.comparison, r.label, r.weight, r.rarity);
        }
    }
}

/// The labels.
struct Truth<'a> {
    set: &'a Set,
    pairs: f64,
}

impl<'a> Truth<'a> {
    fn new(set: &'a Set) -> Self {
        let mut truth = Self { set, pairs: 0.0 };
        truth.pairs = truth.pairs_within(&set.truth);
        truth
    }

    fn across(&self) -> bool {
        self.set.settings.links == Links::AcrossSources
    }

    fn same(&self, a: u32, b: u32) -> bool {
        self.set.truth[a as usize] == self.set.truth[b as usize]
    }

    /// Pairs of records of one group that may match.
    fn pairs_within(&self, groups: &[u32]) -> f64 {
        let mut sizes: HashMap<(u32, u32), f64> = HashMap::new();
        for (record, group) in groups.iter().enumerate() {
            *sizes.entry((*group, u32::MAX)).or_default() += 1.0;
            if self.across() {
                *sizes.entry((*group, self.set.records.source[record])).or_default() -= 1.0;
            }
        }
        let pairs = |n: f64| n * (n.abs() - 1.0).max(0.0) / 2.0;
        sizes.into_values().map(pairs).sum()
    }

    /// Precision, recall and F1 of pairs from `least` on.
    fn pairwise(&self, pairs: &[Pair], least: f32) -> [f64; 3] {
        let found = || pairs.iter().filter(|pair| pair.weight >= least);
        let right = found().filter(|pair| self.same(pair.a, pair.b)).count() as f64;
        scores(right, found().count() as f64, self.pairs)
    }

    /// Precision, recall and F1 of the pairs within clusters.
    fn clusters(&self, clusters: &[u32]) -> [f64; 3] {
        let both = number(clusters.iter().zip(&self.set.truth));
        scores(self.pairs_within(&both), self.pairs_within(clusters), self.pairs)
    }
}

fn scores(right: f64, found: f64, wanted: f64) -> [f64; 3] {
    let (p, r) = (right / found.max(1.0), right / wanted.max(1.0));
    [p, r, 2.0 * p * r / (p + r).max(1e-9)]
}

fn number<K: std::hash::Hash + Eq>(keys: impl Iterator<Item = K>) -> Vec<u32> {
    let mut known = HashMap::new();
    keys.map(|key| {
        let next = known.len() as u32;
        *known.entry(key).or_insert(next)
    })
    .collect()
}

/// B-cubed F1 (Bagga, Baldwin 1998).
fn b_cubed(clusters: &[u32], truth: &[u32]) -> f64 {
    let sizes = |groups: &[u32]| {
        let mut sizes: HashMap<u32, f64> = HashMap::new();
        groups.iter().for_each(|group| *sizes.entry(*group).or_default() += 1.0);
        sizes
    };
    let both = number(clusters.iter().zip(truth));
    let (by_cluster, by_truth, by_both) = (sizes(clusters), sizes(truth), sizes(&both));
    let (mut p, mut r) = (0.0, 0.0);
    for record in 0..truth.len() {
        p += by_both[&both[record]] / by_cluster[&clusters[record]];
        r += by_both[&both[record]] / by_truth[&truth[record]];
    }
    let (p, r) = (p / truth.len() as f64, r / truth.len() as f64);
    2.0 * p * r / (p + r)
}

/// User and system time of this process.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit(')').next().unwrap_or("");
    let ticks = |place: usize| {
        after.split_whitespace().nth(place).and_then(|w| w.parse::<f64>().ok()).unwrap_or(0.0)
    };
    (ticks(11) + ticks(12)) / 100.0
}

fn peak_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok()).unwrap_or(0.0) / 1e3
}
