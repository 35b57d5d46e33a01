//! The fast ways give what the slow way gives, on any number of threads.

use std::collections::{BTreeMap, BTreeSet};

use super::brute::{gathered, kept, lines, model, weights};
use crate::methods::Method;
use crate::model::Settings;
use crate::request::Request;
use crate::scorer::Scorer;
use crate::{Hidden, Histories, Model, Result};

const ITEMS: u32 = 70;

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-5 * a.abs().max(b.abs()).max(1e-3)
}

#[test]
fn histories_are_what_was_kept() -> Result<()> {
    for seed in 0..10 {
        let lines = lines(seed, 40, ITEMS, 900);
        let settings = Settings::default();
        let histories = Histories::build(gathered(&lines, ITEMS), ITEMS as usize, &settings)?;
        let kept = kept(&lines);
        assert_eq!(histories.len(), kept.len());
        for (customer, items) in &kept {
            let place = histories.place(*customer).unwrap_or(usize::MAX);
            let history = histories.history(place);
            let mut bought: Vec<u32> = history.codes.iter().map(|c| histories.item(*c)).collect();
            bought.sort_unstable();
            assert_eq!(bought, items.iter().copied().collect::<Vec<_>>());
        }
        assert_eq!(histories.place(17), None);
    }
    Ok(())
}

#[test]
fn neighbours_are_those_of_all_pairs() -> Result<()> {
    let methods =
        [Method::Cosine, Method::ShrunkCosine, Method::Jaccard, Method::Lift, Method::Llr];
    for (seed, method) in (0..15).zip(methods.into_iter().cycle()) {
        let lines = lines(seed, 60, ITEMS, 700);
        let mut expected = BTreeMap::<u32, Vec<(f64, u32)>>::new();
        for ((i, j), weight) in weights(&kept(&lines), method) {
            if weight > 1e-9 {
                expected.entry(i).or_default().push((weight, j));
            }
        }
        // So many that nothing is cut: equal weights at a cut would differ by rounding.
        let settings = Settings { neighbours: ITEMS as usize, ..Settings::default() };
        let model = model(&lines, ITEMS, method, &settings)?;
        for code in 0..model.histories.items() as u32 {
            let found = model.neighbours.of(code);
            let expected = expected.remove(&model.histories.item(code)).unwrap_or_default();
            assert_eq!(found.clone().count(), expected.len(), "{method:?}");
            for (other, weight) in found {
                let item = model.histories.item(other);
                let same = expected.iter().find(|(_, one)| *one == item);
                assert!(same.is_some_and(|(one, _)| close(*one, f64::from(weight))), "{method:?}");
            }
        }
    }
    Ok(())
}

#[test]
fn threads_change_nothing() -> Result<()> {
    for method in Method::ALL.iter().copied() {
        let lines = lines(4, 300, ITEMS, 6000);
        let make = |threads| {
            let settings = Settings { threads, neighbours: 9, ..Settings::default() };
            model(&lines, ITEMS, method, &settings)
        };
        let (one, two) = (make(1)?, make(3)?);
        let request = Request { k: 7, ..Request::default() };
        let all = |model: &Model| {
            let mut scorer = Scorer::new(model, &request);
            let places = 0..model.histories.len();
            let rows = places.map(|place| {
                let found = scorer.recommend(model.histories.history(place), &[]).to_vec();
                (model.histories.customer(place), found)
            });
            rows.collect::<Vec<_>>()
        };
        assert_eq!(all(&one), all(&two), "{method:?}");
    }
    Ok(())
}

#[test]
fn the_best_are_those_of_all_sums() -> Result<()> {
    for seed in 0..10 {
        let lines = lines(seed, 50, ITEMS, 600);
        let settings = Settings { neighbours: 12, ..Settings::default() };
        let model = model(&lines, ITEMS, Method::Cosine, &settings)?;
        let request = Request { k: 6, fallback: false, ..Request::default() };
        let mut scorer = Scorer::new(&model, &request);
        for place in 0..model.histories.len() {
            let history = model.histories.history(place);
            let mut sums = BTreeMap::<u32, f32>::new();
            for code in history.codes {
                for (other, weight) in model.neighbours.of(*code) {
                    *sums.entry(other).or_default() += weight;
                }
            }
            sums.retain(|code, _| history.codes.binary_search(code).is_err());
            let mut sums: Vec<(f32, u32)> =
                sums.into_iter().map(|(code, sum)| (sum, model.histories.item(code))).collect();
            sums.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            sums.truncate(6);
            let found = scorer.recommend(history, &[]).iter();
            let found: Vec<(f32, u32)> =
                found.map(|one| (one.score, model.histories.item(one.code))).collect();
            assert_eq!(found, sums);
        }
    }
    Ok(())
}

#[test]
fn the_last_basket_is_no_part_of_what_is_learnt() -> Result<()> {
    let lines = lines(3, 40, ITEMS, 800);
    let gathered = gathered(&lines, ITEMS);
    let settings = Settings::default();
    let (before, baskets) = Histories::split(
        &gathered,
        ITEMS as usize,
        &settings,
        (crate::choose::ALL, Hidden::LastBasket),
    )?;
    assert!(!baskets.is_empty());
    for (customer, basket) in &baskets {
        let own = lines.iter().filter(|line| line.customer == *customer);
        let bought = own.filter(|line| line.quantity > 0.0);
        let last = bought.clone().map(|line| line.time).max().unwrap_or_default();
        let mut expected: Vec<u32> = bought
            .filter(|line| line.time == last)
            .filter_map(|line| before.code(line.item))
            .collect();
        expected.sort_unstable();
        expected.dedup();
        assert_eq!(*basket, expected);
        let earlier: Vec<_> =
            lines.iter().filter(|l| l.customer == *customer && l.time < last).copied().collect();
        let place = before.place(*customer).unwrap_or(usize::MAX);
        let own = kept(&earlier).remove(customer).unwrap_or_default();
        assert_eq!(before.history(place).codes.len(), own.len());
    }
    Ok(())
}

#[test]
fn one_item_is_hidden_where_times_say_nothing() -> Result<()> {
    let mut lines = lines(4, 40, ITEMS, 200);
    lines.iter_mut().for_each(|line| line.time = 7);
    let gathered = gathered(&lines, ITEMS);
    let settings = Settings::default();
    let share = crate::choose::ALL;
    let (before, baskets) =
        Histories::split(&gathered, ITEMS as usize, &settings, (share, Hidden::LastBasket))?;
    let mut customers = 0;
    for customer in lines.iter().map(|line| line.customer).collect::<BTreeSet<_>>() {
        let own = lines.iter().filter(|line| line.customer == customer);
        let bought = own.clone().filter(|line| line.quantity > 0.0).map(|line| line.item);
        let bought: BTreeSet<u32> = bought.collect();
        let Some((_, basket)) = baskets.iter().find(|one| one.0 == customer) else {
            assert!(bought.len() < 2);
            continue;
        };
        customers += 1;
        let [hidden] = basket.as_slice() else { panic!("{basket:?}") };
        let hidden = before.item(*hidden);
        assert!(bought.contains(&hidden));
        let shown: Vec<_> = own.filter(|line| line.item != hidden).copied().collect();
        let place = before.place(customer).unwrap_or(usize::MAX);
        let kept = kept(&shown).remove(&customer).unwrap_or_default();
        assert_eq!(before.history(place).codes.len(), kept.len());
    }
    assert!(customers > 20, "{customers}");
    Ok(())
}
