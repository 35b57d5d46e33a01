//! What changes leave behind is what a fit of everything makes.

use std::collections::BTreeMap;

use hashbrown::HashSet;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::brute::{gathered, lines};
use crate::counts::{Counts, Row};
use crate::methods::Method;
use crate::model::Settings;
use crate::purchases::Purchase;
use crate::{Changes, Histories, Model, Result};

const ITEMS: u32 = 40;

/// Item, bits of the strength, last time.
type Entry = (u32, u32, u32);

/// What each customer bought.
fn shown(histories: &Histories) -> BTreeMap<i64, Vec<Entry>> {
    let of = |place: usize| {
        let history = histories.history(place);
        let entries = history.codes.iter().zip(history.strengths).zip(history.times);
        let mut entries: Vec<Entry> = entries
            .map(|((code, strength), time)| (histories.item(*code), strength.to_bits(), *time))
            .collect();
        entries.sort_unstable();
        (histories.customer(place), entries)
    };
    (0..histories.len()).map(of).collect()
}

/// The common customers of each pair of items.
type Pairs = BTreeMap<(u32, u32), u32>;

/// These, and the weights of neighbours to the bit.
fn learnt(model: &Model, counts: &Counts) -> (Pairs, Vec<(u32, u32, u32)>) {
    let item = |code: u32| model.histories.item(code);
    let mut pairs = BTreeMap::new();
    for (code, row) in (0..).zip(&counts.rows) {
        let cells: Vec<u32> = match row {
            Row::Narrow(cells) => cells.iter().copied().map(u32::from).collect(),
            Row::Wide(cells) => cells.clone(),
        };
        for (other, count) in (0..).zip(cells).filter(|(_, count)| *count > 0) {
            let (a, b) = (item(code), item(other));
            pairs.insert((a.min(b), a.max(b)), count);
        }
    }
    let codes = 0..model.histories.items() as u32;
    let mut neighbours: Vec<(u32, u32, u32)> = codes
        .flat_map(|code| {
            let of = model.neighbours.of(code);
            of.map(move |(other, weight)| (item(code), item(other), weight.to_bits()))
        })
        .collect();
    neighbours.sort_unstable();
    (pairs, neighbours)
}

/// A stream of changes: lines that come, lines that go, customers of whom all goes.
fn step(lines: &mut Vec<Purchase>, random: &mut ChaCha8Rng) -> (Vec<Purchase>, Vec<Purchase>) {
    let new = super::brute::lines(random.random(), 30, ITEMS, random.random_range(0..40));
    lines.shuffle(random);
    let mut gone = lines.split_off(lines.len() - random.random_range(0..20));
    if random.random_bool(0.3) {
        let customer = lines.first().map(|line| line.customer);
        let (of, others) = lines.drain(..).partition(|line| Some(line.customer) == customer);
        gone.extend::<Vec<_>>(of);
        *lines = others;
    }
    lines.extend(&new);
    (new, gone)
}

#[test]
fn changes_make_what_a_fit_of_everything_makes() -> Result<()> {
    let methods = [
        Method::Cosine,
        Method::ShrunkCosine,
        Method::Jaccard,
        Method::Lift,
        Method::Llr,
        Method::Personal,
    ];
    for (seed, method) in (0..24).zip(methods.into_iter().cycle()) {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let settings = Settings {
            threads: 1 + seed as usize % 3,
            cut: [5, 1000][seed as usize % 2],
            neighbours: 6,
            counts_bytes: usize::MAX,
            ..Settings::default()
        };
        let mut known = lines(seed, 30, ITEMS / 2, 200);
        let items = ITEMS as usize;
        let histories = Histories::build(gathered(&known, ITEMS), items, &settings)?;
        let (mut model, counts) = Model::fit(histories, method, &settings)?;
        let mut counts = counts.unwrap_or_default();
        for _ in 0..6 {
            let (plus, minus) = step(&mut known, &mut random);
            let (minus, items_now) = (gathered(&minus, ITEMS), (0..ITEMS).collect::<Vec<_>>());
            let gone: Vec<_> = minus.iter().map(|(one, to)| (one, to.clone())).collect();
            let unsure = model.histories.unsure(&gone, (&items_now, items), &settings)?;
            let anew: HashSet<i64> = unsure.into_iter().collect();
            let of_them = known.iter().filter(|line| anew.contains(&line.customer));
            let whole = gathered(&of_them.copied().collect::<Vec<_>>(), ITEMS);
            let plus = gathered(&plus, ITEMS);
            let changes = Changes { plus, minus, anew, whole, items_now, items };
            model = model.changed(changes, &mut counts, &settings)?;
            let whole = Histories::build(gathered(&known, ITEMS), items, &settings)?;
            let (whole, of_whole) = Model::fit(whole, method, &settings)?;
            assert_eq!(shown(&model.histories), shown(&whole.histories), "{seed}");
            let of_whole = of_whole.unwrap_or_default();
            assert_eq!(learnt(&model, &counts), learnt(&whole, &of_whole), "{seed} {method:?}");
            let by_item = |model: &Model| -> Vec<u32> {
                model.popular.iter().map(|code| model.histories.item(*code)).collect()
            };
            assert_eq!(by_item(&model), by_item(&whole));
        }
    }
    Ok(())
}

#[test]
fn new_items_find_their_place_among_the_known() -> Result<()> {
    let settings = Settings { counts_bytes: usize::MAX, ..Settings::default() };
    let line = |customer, item| Purchase { customer, item, quantity: 1.0, time: 0 };
    let known: Vec<Purchase> = (0..6).flat_map(|c| [line(c, 0), line(c, 1)]).collect();
    let histories = Histories::build(gathered(&known, 2), 2, &settings)?;
    let (model, counts) = Model::fit(histories, Method::Cosine, &settings)?;
    let mut counts = counts.unwrap_or_default();
    // A new item comes between the two.
    let new: Vec<Purchase> = (0..3).map(|customer| line(customer, 1)).collect();
    let changes =
        Changes { plus: gathered(&new, 3), items_now: vec![0, 2], items: 3, ..Changes::default() };
    let changed = model.changed(changes, &mut counts, &settings)?;
    let code = changed.histories.code(1).unwrap_or(u32::MAX);
    let near: Vec<u32> =
        changed.neighbours.of(code).map(|one| changed.histories.item(one.0)).collect();
    assert_eq!(near, [0, 2]);
    assert_eq!(changed.histories.buyers(code), 3);
    Ok(())
}

#[test]
fn counts_grow_beyond_sixteen_bits() -> Result<()> {
    let settings = Settings { counts_bytes: usize::MAX, ..Settings::default() };
    let of = |customers: std::ops::Range<i64>| -> Vec<Purchase> {
        let line = |customer, item| Purchase { customer, item, quantity: 1.0, time: 0 };
        customers.flat_map(|customer| [line(customer, 0), line(customer, 1)]).collect()
    };
    let histories = Histories::build(gathered(&of(0..65_530), 2), 2, &settings)?;
    let (model, counts) = Model::fit(histories, Method::Jaccard, &settings)?;
    let mut counts = counts.unwrap_or_default();
    assert!(matches!(counts.rows.as_slice(), [_, Row::Narrow(_)]));
    let plus = gathered(&of(65_530..65_550), 2);
    let changes = Changes { plus, items_now: vec![0, 1], items: 2, ..Changes::default() };
    model.changed(changes, &mut counts, &settings)?;
    assert_eq!(counts.rows[1], Row::Wide(vec![65_550]));
    Ok(())
}

#[test]
fn what_fades_is_the_same_but_for_rounding() -> Result<()> {
    let settings = Settings {
        half_life_s: Some(90.0 * 86_400.0),
        counts_bytes: usize::MAX,
        ..Settings::default()
    };
    let (items, items_now) = (ITEMS as usize, (0..ITEMS).collect::<Vec<_>>());
    let (known, new) = (lines(1, 30, ITEMS, 300), lines(2, 30, ITEMS, 60));
    let histories = Histories::build(gathered(&known, ITEMS), items, &settings)?;
    let (model, counts) = Model::fit(histories, Method::Cosine, &settings)?;
    let mut counts = counts.unwrap_or_default();
    let plus = gathered(&new, ITEMS);
    let changes = Changes { plus, items_now, items, ..Changes::default() };
    let changed = model.changed(changes, &mut counts, &settings)?.histories;
    let all: Vec<Purchase> = known.into_iter().chain(new).collect();
    let whole = Histories::build(gathered(&all, ITEMS), items, &settings)?;
    let (changed, whole) = (shown(&changed), shown(&whole));
    assert_eq!(changed.len(), whole.len());
    for ((customer, some), (other, all)) in changed.iter().zip(&whole) {
        assert_eq!((customer, some.len()), (other, all.len()));
        for ((item, strength, time), (other, of_all, last)) in some.iter().zip(all) {
            assert_eq!((item, time), (other, last));
            let (one, another) = (f32::from_bits(*strength), f32::from_bits(*of_all));
            assert!((one - another).abs() < 1e-5, "{one} {another}");
        }
    }
    Ok(())
}

#[test]
fn a_history_with_new_lines_is_that_of_all_lines() -> Result<()> {
    for (seed, half_life_s) in (0..20).zip([None, Some(100.0 * 86_400.0)].into_iter().cycle()) {
        let all = lines(seed, 20, ITEMS, 600);
        let (before, came) = all.split_at(400);
        let settings = Settings { half_life_s, ..Settings::default() };
        let histories = Histories::build(gathered(before, ITEMS), ITEMS as usize, &settings)?;
        let of = |lines: &[Purchase], customer: i64| -> Vec<Purchase> {
            lines.iter().filter(|line| line.customer == customer).copied().collect()
        };
        for customer in (0..20).map(|customer| customer * 7919 - 1000) {
            let found = histories.own_with(customer, &of(came, customer), &settings);
            let Some(found) = found else {
                assert!(of(&all, customer).is_empty());
                continue;
            };
            let expected = histories.own(&of(&all, customer), &settings);
            let (found, expected) = (found.as_history(), expected.as_history());
            assert_eq!((found.codes, found.times), (expected.codes, expected.times));
            let mut strengths = found.strengths.iter().zip(expected.strengths);
            assert!(strengths.all(|(one, other)| (one - other).abs() < 1e-5));
        }
        assert!(histories.own_with(5, &[], &settings).is_none());
    }
    Ok(())
}
