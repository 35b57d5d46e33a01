//! Blocking rules that could be used: which parts of which fields, alone or together.

use super::blocking::{Key, Part, Rule, parts};
use super::prepared::Prepared;

/// Rules to choose from at most.
const MOST: usize = 160;

/// All keys of the fields.
pub(crate) fn keys(prepared: &Prepared) -> Vec<Key> {
    let fields = prepared.fields.iter().enumerate();
    let of_field =
        |(field, meaning)| parts(meaning).iter().map(move |part| Key { field, part: *part });
    let mut keys: Vec<Key> =
        fields.map(|(field, about)| (field, about.meaning)).flat_map(of_field).collect();
    if let Some((given, _)) = prepared.swappable {
        keys.push(Key { field: given, part: Part::BothNames });
    }
    keys.truncate(64);
    keys
}

/// Rules of one to three keys that are expected to yield at most `most` pairs, as far as the
/// fields say independent things; `pairs` are those of each key alone. A rule is not made
/// stricter when it is strict enough.
pub(crate) fn rules(prepared: &Prepared, keys: &[Key], pairs: &[f64], most: f64) -> Vec<Rule> {
    let possible = (prepared.len() as f64).powi(2) / 2.0;
    let mut open: Vec<(Vec<usize>, f64)> = Vec::new();
    let mut rules: Vec<(Vec<usize>, f64)> = Vec::new();
    let mut last: Vec<(Vec<usize>, f64)> = vec![(Vec::new(), possible)];
    for _ in 0..3 {
        for (places, expected) in &last {
            let first = places.last().map_or(0, |place| place + 1);
            for place in first..keys.len() {
                let joined = pairs[place] > 0.0
                    && places.iter().all(|other| joins(prepared, keys[*other], keys[place]));
                if joined {
                    let expected = expected * pairs[place] / possible;
                    let to = if expected <= most { &mut rules } else { &mut open };
                    to.push(([&places[..], &[place]].concat(), expected));
                }
            }
        }
        last = std::mem::take(&mut open);
        if rules.len() >= MOST / 2 {
            break;
        }
    }
    // Looser rules find what stricter ones do not.
    rules.sort_by(|a, b| a.0.len().cmp(&b.0.len()).then(b.1.total_cmp(&a.1)).then(a.0.cmp(&b.0)));
    rules.truncate(MOST);
    rules
        .into_iter()
        .map(|(places, _)| Rule { keys: places.into_iter().map(|place| keys[place]).collect() })
        .collect()
}

/// True when two keys may stand in one rule: of different fields, words only once.
fn joins(prepared: &Prepared, a: Key, b: Key) -> bool {
    let names = |key: Key| {
        prepared.swappable.is_some_and(|(given, family)| key.field == given || key.field == family)
    };
    let both = a.part == Part::BothNames || b.part == Part::BothNames;
    a.field != b.field
        && !(a.part == Part::Word && b.part == Part::Word)
        && !(both && names(a) && names(b))
}
