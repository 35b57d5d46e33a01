//! What methods reach on purchases from standard input: lines `customer,item,quantity,seconds`.
//!
//! ```sh
//! duckdb -csv -noheader -c "…" | cargo run --release -p clientele-recommend --example quality -- 5
//! ```
//!
//! The last basket of whoever has two is hidden. What is left is all that models, and the choice of
//! one, may see; items that fewer customers than the argument have bought in it are left out, of the
//! hidden baskets, too.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, Write};
use std::time::Instant;

use clientele_recommend::evaluate::{Basket, evaluate};
use clientele_recommend::{
    Bought, Gathered, Gatherer, Hidden, Histories, Method, Model, Numbering, Purchase, Request,
    Settings, choose,
};

/// What is shown, and the numbers of the items that are hidden, by customer.
#[derive(Default)]
struct Shop {
    shown: Vec<Purchase>,
    hidden: HashMap<i64, Vec<u32>>,
    items: usize,
}

impl Shop {
    fn read() -> anyhow::Result<Self> {
        let (mut lines, mut items) = (Vec::new(), Numbering::default());
        for line in std::io::stdin().lock().lines() {
            let line = line?;
            let fields: Vec<&str> = line.split(',').collect();
            let [customer, item, quantity, time] = fields.as_slice() else { continue };
            lines.push(Purchase {
                customer: customer.parse()?,
                item: items.number(item.parse()?),
                quantity: quantity.parse()?,
                time: time.parse()?,
            });
        }
        let mut times = HashMap::<i64, (u32, u32)>::new();
        for line in lines.iter().filter(|line| line.quantity > 0.0) {
            let (first, last) = times.entry(line.customer).or_insert((line.time, line.time));
            (*first, *last) = ((*first).min(line.time), (*last).max(line.time));
        }
        let mut shop = Self { items: items.keys().len(), ..Self::default() };
        for line in lines {
            match times.get(&line.customer) {
                Some((first, last)) if first == last => {}
                Some((_, last)) if line.time < *last => shop.shown.push(line),
                Some(_) => shop.hidden.entry(line.customer).or_default().push(line.item),
                None => {}
            }
        }
        Ok(shop)
    }

    /// Without items that few have bought of what is shown.
    fn without_rare(mut self, least: usize) -> Self {
        let mut buyers = vec![HashSet::new(); self.items];
        for line in &self.shown {
            buyers[line.item as usize].insert(line.customer);
        }
        let is_known = |item: &u32| buyers[*item as usize].len() >= least;
        self.shown.retain(|line| is_known(&line.item));
        self.hidden.values_mut().for_each(|items| items.retain(is_known));
        self
    }

    fn gathered(&self) -> Vec<Gathered> {
        let mut gatherer = Gatherer::new();
        self.shown.iter().for_each(|line| gatherer.push(*line));
        vec![(gatherer, (0..self.items as u32).collect())]
    }

    fn histories(&self, settings: &Settings) -> anyhow::Result<Histories> {
        Ok(Histories::build(self.gathered(), self.items, settings)?)
    }

    fn baskets(&self, histories: &Histories) -> Vec<Basket> {
        let known =
            self.hidden.iter().filter(|(customer, _)| histories.place(**customer).is_some());
        let baskets = known.map(|(customer, items)| {
            let mut codes: Vec<u32> =
                items.iter().filter_map(|item| histories.code(*item)).collect();
            codes.sort_unstable();
            codes.dedup();
            (*customer, codes)
        });
        let mut baskets: Vec<Basket> = baskets.collect();
        baskets.sort_unstable();
        baskets
    }
}

fn settings(half_life_days: Option<f64>) -> Settings {
    let half_life_s = half_life_days.map(|days| days * 86_400.0);
    Settings { half_life_s, threads: 2, ..Settings::default() }
}

/// What every method reaches: with what is new to the customer, with anything, and with what the
/// customer buys anyway mixed in.
fn each(shop: &Shop, half_life_days: Option<f64>, out: &mut impl Write) -> anyhow::Result<()> {
    let settings = settings(half_life_days);
    let histories = shop.histories(&settings)?;
    let baskets = shop.baskets(&histories);
    let (customers, pairs) = (histories.len(), histories.pairs());
    let items = histories.by_popularity().len();
    writeln!(
        out,
        "half_life {half_life_days:?}: {customers} customers, {items} items, {pairs} pairs"
    )?;
    for method in Method::ALL.iter().copied() {
        let start = Instant::now();
        let (model, _) = Model::fit(histories.clone(), method, &settings)?;
        let fit = start.elapsed().as_secs_f64();
        let of = |bought, rebuy| {
            let request = Request { bought, rebuy, ..Request::default() };
            evaluate(&model, &request, &baskets)
        };
        let new = of(Bought::Exclude, 0.0)?;
        let any = of(Bought::Allow, 0.0)?;
        let mixed = of(Bought::Allow, choose::REBUY)?;
        let (recall, ndcg, hits) = new.means();
        let (name, judged) = (method.name(), new.outcomes.len());
        writeln!(
            out,
            "{name:14} new ({judged}) recall {recall:.4} ndcg {ndcg:.4} hit {hits:.3} cover {:.2} | any {:.4} | mixed {:.4} cover {:.2} | fit {fit:.2} s",
            new.coverage,
            any.means().0,
            mixed.means().0,
            mixed.coverage,
        )?;
    }
    Ok(())
}

/// What `auto` reaches, which chooses by baskets that it hides of what is shown.
fn auto(shop: &Shop, bought: Bought, out: &mut impl Write) -> anyhow::Result<()> {
    let start = Instant::now();
    let settings = settings(None);
    let request = Request { bought, ..Request::default() };
    let (before, baskets) = Histories::split(
        &shop.gathered(),
        shop.items,
        &settings,
        (choose::ALL, Hidden::LastBasket),
    )?;
    let trials = choose::trials(&before, &baskets, (&settings, &request), choose::SHARES)?;
    for trial in &trials {
        let (name, rebuy, recall) = (trial.method.name(), trial.rebuy, trial.recall);
        writeln!(out, "auto: {bought:?} {name} rebuy {rebuy} {recall:.4}")?;
    }
    let Some(best) = trials.first() else { return Ok(()) };
    let (model, _) = Model::fit(shop.histories(&settings)?, best.method, &settings)?;
    let request = Request { rebuy: best.rebuy, ..request };
    let (recall, ndcg, _) = evaluate(&model, &request, &shop.baskets(&model.histories))?.means();
    let (name, took) = (best.method.name(), start.elapsed().as_secs_f64());
    writeln!(
        out,
        "auto: {bought:?} takes {name}, which has recall {recall:.4} ndcg {ndcg:.4}; {took:.2} s"
    )?;
    Ok(())
}

fn main() -> anyhow::Result<()> {
    let least = std::env::args().nth(1).map_or(Ok(5), |text| text.parse())?;
    let shop = Shop::read()?.without_rare(least);
    let mut out = std::io::stdout().lock();
    for half_life_days in [None, Some(30.0), Some(90.0)] {
        each(&shop, half_life_days, &mut out)?;
    }
    for bought in [Bought::Exclude, Bought::Allow] {
        auto(&shop, bought, &mut out)?;
    }
    Ok(())
}
