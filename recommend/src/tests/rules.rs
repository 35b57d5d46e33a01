//! What requests may ask for.

use std::sync::Arc;

use super::brute::{lines, model};
use crate::methods::Method;
use crate::model::Settings;
use crate::reasons::reasons;
use crate::request::{Bought, Request, Source};
use crate::scorer::Scorer;
use crate::{Model, Result};

const ITEMS: u32 = 60;

fn sample(method: Method) -> Result<Model> {
    let settings = Settings { half_life_s: Some(200.0 * 86_400.0), ..Settings::default() };
    model(&lines(8, 80, ITEMS, 900), ITEMS, method, &settings)
}

/// Runs a check over what every customer gets.
fn each(
    model: &Model,
    request: &Request,
    mut check: impl FnMut(crate::History<'_>, &[crate::Recommendation]),
) {
    let mut scorer = Scorer::new(model, request);
    for place in 0..model.histories.len() {
        let history = model.histories.history(place);
        check(history, scorer.recommend(history, &[]));
    }
}

#[test]
fn lists_are_full_as_long_as_there_is_something() -> Result<()> {
    let model = sample(Method::Llr)?;
    let may: Arc<[bool]> = (0..model.histories.items()).map(|code| code % 5 == 0).collect();
    let request = Request { k: 8, candidates: Some(Arc::clone(&may)), ..Request::default() };
    each(&model, &request, |history, found| {
        let left = (0..).zip(may.iter()).filter(|(code, may)| {
            **may && history.codes.binary_search(code).is_err() && model.histories.buyers(*code) > 0
        });
        assert_eq!(found.len(), left.count().min(8));
        assert!(found.iter().all(|one| may[one.code as usize]));
        assert!(found.windows(2).all(|pair| pair[0].score >= pair[1].score));
        let mut codes: Vec<u32> = found.iter().map(|one| one.code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), found.len());
    });
    Ok(())
}

#[test]
fn bought_items_are_where_they_may_be() -> Result<()> {
    let model = sample(Method::Cosine)?;
    let has = |history: crate::History<'_>, code: u32| history.codes.binary_search(&code).ok();
    let since = 500 * 86_400;
    for (bought, rebuy) in [
        (Bought::Exclude, 0.0),
        (Bought::Only, 0.8),
        (Bought::Allow, 0.8),
        (Bought::ExcludeSince(since), 0.8),
    ] {
        let request = Request { bought, rebuy, k: 12, ..Request::default() };
        let mut rebought = 0;
        each(&model, &request, |history, found| {
            for one in found {
                let place = has(history, one.code);
                rebought += usize::from(place.is_some());
                match bought {
                    Bought::Exclude => assert!(place.is_none()),
                    Bought::Only => assert!(place.is_some()),
                    Bought::ExcludeSince(since) => {
                        assert!(place.is_none_or(|place| history.times[place] < since));
                    }
                    Bought::Allow => {}
                }
                assert!(one.source != Source::Rebuy || place.is_some());
            }
        });
        assert_eq!(rebought > 0, bought != Bought::Exclude);
    }
    Ok(())
}

#[test]
fn reasons_sum_to_the_score() -> Result<()> {
    for method in [Method::Cosine, Method::Personal, Method::Ease] {
        let model = sample(method)?;
        for (bought, rebuy) in [(Bought::Exclude, 0.0), (Bought::Allow, 0.3)] {
            let request = Request { bought, rebuy, ..Request::default() };
            each(&model, &request, |history, found| {
                for one in found.iter().filter(|one| one.source != Source::Popular) {
                    let reasons = reasons(&model, &request, history, one.code);
                    let sum: f32 = reasons.iter().map(|reason| reason.part).sum();
                    assert!((sum - one.score).abs() < 1e-4, "{sum} {}", one.score);
                }
            });
        }
    }
    Ok(())
}

#[test]
fn groups_are_mixed() -> Result<()> {
    let model = sample(Method::Cosine)?;
    let groups: Arc<[u32]> = (0..model.histories.items() as u32).map(|code| code % 4).collect();
    let max_per = Some((2, Arc::clone(&groups)));
    let request = Request { max_per, k: 8, ..Request::default() };
    each(&model, &request, |_, found| {
        for group in 0..4 {
            let of_group = found.iter().filter(|one| groups[one.code as usize] == group);
            assert!(of_group.count() <= 2);
        }
    });
    Ok(())
}

#[test]
fn what_is_excluded_for_one_customer_stays_away() -> Result<()> {
    let model = sample(Method::Cosine)?;
    let request = Request::default();
    let mut scorer = Scorer::new(&model, &request);
    let history = model.histories.history(0);
    let mut first: Vec<u32> = scorer.recommend(history, &[]).iter().map(|one| one.code).collect();
    first.sort_unstable();
    let second = scorer.recommend(history, &first);
    assert_eq!(second.len(), 10);
    assert!(second.iter().all(|one| first.binary_search(&one.code).is_err()));
    Ok(())
}

#[test]
fn the_best_of_many_are_the_first_of_all() -> Result<()> {
    // So many items that most of them are not looked at one by one.
    let items = 5000;
    let lines = lines(5, 60, items, 20_000);
    for method in [Method::Cosine, Method::Ease] {
        let settings = Settings { neighbours: 200, head: 300, ..Settings::default() };
        let model = model(&lines, items, method, &settings)?;
        let few: Arc<[bool]> = (0..model.histories.items()).map(|code| code % 3 == 0).collect();
        for candidates in [None, Some(few)] {
            let ask =
                |k: usize| Request { k, candidates: candidates.clone(), ..Request::default() };
            let mut all = Vec::new();
            each(&model, &ask(items as usize), |_, found| all.push(found.to_vec()));
            for k in [1, 2, 10, 40] {
                let mut all = all.iter();
                each(&model, &ask(k), |_, found| {
                    assert_eq!(Some(found), all.next().map(|all| &all[..k]), "{method:?} {k}");
                });
            }
        }
    }
    Ok(())
}
