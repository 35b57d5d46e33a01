//! Blocking rules that follow from the meanings of the columns and the sizes of the blocks.

use super::blocking::{Key, Part, Rule, block_end, entries, parts};
use super::prepared::Prepared;
use super::settings::Settings;

/// Records by which the size of blocks is estimated.
const SAMPLE: usize = 40_000;
/// Rules at most.
const MOST: usize = 24;

/// A rule that could be used, and the pairs that it would yield.
struct Priced {
    rule: Rule,
    pairs: f64,
}

/// Chooses rules: single keys first, then two and three keys of different fields, as long as they
/// yield few enough pairs and no rule chosen before yields the same pairs.
pub(crate) fn rules(prepared: &Prepared, settings: &Settings) -> Vec<Rule> {
    let len = prepared.len() as f64;
    let most = len * settings.pairs_per_record as f64 / 4.0 + 2_000.0;
    let singles: Vec<Priced> = keys(prepared)
        .into_iter()
        .map(|key| price(prepared, Rule { keys: vec![key] }, settings))
        .filter(|priced| priced.pairs > 0.0)
        .collect();
    let mut budget = len * settings.pairs_per_record as f64 + 20_000.0;
    let mut chosen: Vec<Rule> = Vec::new();
    let mut wide: Vec<&Priced> = singles.iter().collect();
    let mut taken = take(singles.iter(), most, &mut budget, prepared, &mut chosen);
    let mut combined: Vec<Priced> = Vec::new();
    wide.retain(|priced| !taken.contains(&priced.rule));
    for (place, one) in wide.iter().enumerate() {
        for two in &wide[place + 1..] {
            combined.extend(join(prepared, settings, one, two, most));
        }
    }
    taken = take(combined.iter(), most, &mut budget, prepared, &mut chosen);
    if chosen.len() < 6 {
        let mut triples: Vec<Priced> = Vec::new();
        let left = combined.iter().filter(|priced| !taken.contains(&priced.rule));
        for one in left {
            for two in &wide {
                triples.extend(join(prepared, settings, one, two, most));
            }
        }
        take(triples.iter(), most, &mut budget, prepared, &mut chosen);
    }
    chosen
}

fn keys(prepared: &Prepared) -> Vec<Key> {
    let fields = prepared.fields.iter().enumerate();
    let mut keys: Vec<Key> = fields
        .flat_map(|(field, about)| parts(about.meaning).iter().map(move |part| Key { field, part: *part }))
        .collect();
    if let Some((given, _)) = prepared.swappable {
        keys.push(Key { field: given, part: Part::BothNames });
    }
    keys
}

/// Takes the cheapest rules that bring something new; returns those taken.
fn take<'a>(
    rules: impl Iterator<Item = &'a Priced>,
    most: f64,
    budget: &mut f64,
    prepared: &Prepared,
    chosen: &mut Vec<Rule>,
) -> Vec<Rule> {
    let mut rules: Vec<&Priced> = rules.filter(|priced| priced.pairs <= most).collect();
    // Strict parts first: what a looser one adds is told by the pairs that it has more.
    rules.sort_by(|a, b| a.pairs.total_cmp(&b.pairs).then_with(|| a.rule.cmp(&b.rule)));
    let mut taken = Vec::new();
    for priced in rules {
        let new = !chosen.iter().any(|rule| priced.rule.implies(rule, prepared));
        if new && priced.pairs <= *budget && chosen.len() < MOST {
            *budget -= priced.pairs;
            chosen.push(priced.rule.clone());
            taken.push(priced.rule.clone());
        }
    }
    // A rule that a looser one replaces is not needed.
    let all = chosen.clone();
    chosen.retain(|rule| !all.iter().any(|other| other != rule && rule.implies(other, prepared)));
    taken
}

fn join(
    prepared: &Prepared,
    settings: &Settings,
    one: &Priced,
    two: &Priced,
    most: f64,
) -> Option<Priced> {
    let clash = one.rule.keys.iter().any(|a| {
        two.rule.keys.iter().any(|b| {
            a.field == b.field || (a.part == Part::Word && b.part == Part::Word) || overlaps(prepared, *a, *b)
        })
    });
    if clash {
        return None;
    }
    let len = prepared.len() as f64;
    let expected = one.pairs * two.pairs / (len * len / 2.0);
    if expected > most {
        return None;
    }
    let mut keys = [&one.rule.keys[..], &two.rule.keys[..]].concat();
    keys.sort_unstable();
    Some(price(prepared, Rule { keys }, settings)).filter(|priced| priced.pairs >= 0.0)
}

/// Both names hold the given and the family name already.
fn overlaps(prepared: &Prepared, a: Key, b: Key) -> bool {
    let names = |key: Key| prepared.swappable.is_some_and(|(g, f)| key.field == g || key.field == f);
    (a.part == Part::BothNames || b.part == Part::BothNames) && names(a) && names(b)
}

/// Estimates the pairs of a rule from every so-many-th record.
fn price(prepared: &Prepared, rule: Rule, settings: &Settings) -> Priced {
    let len = prepared.len();
    let step = len.div_ceil(SAMPLE).max(1);
    let mut found = Vec::new();
    if step == 1 {
        found = entries(&rule, prepared, 0, len as u32);
    } else {
        for record in (0..len).step_by(step) {
            found.extend(entries(&rule, prepared, record as u32, record as u32 + 1));
        }
    }
    found.sort_unstable();
    let scale = step as f64;
    let words = rule.word_field().is_some();
    let mut pairs = 0.0;
    let mut start = 0;
    while start < found.len() {
        let end = block_end(&found, start);
        let size = (end - start) as f64;
        let over = words && size * scale > settings.block_limit as f64;
        if size > 1.0 && !over {
            pairs += size * (size - 1.0) / 2.0 * scale * scale;
        }
        start = end;
    }
    Priced { rule, pairs }
}
