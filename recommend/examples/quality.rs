//! What methods reach on purchases from standard input: lines `customer,item,quantity,seconds`.
//!
//! ```sh
//! duckdb -csv -noheader -c "…" | cargo run --release -p clientele-recommend --example quality
//! ```

use std::io::{BufRead, Write};
use std::time::Instant;

use clientele_recommend::evaluate::evaluate;
use clientele_recommend::{
    Bought, Gatherer, Histories, Method, Model, Numbering, Purchase, Request, Settings, choose,
};

fn main() -> anyhow::Result<()> {
    let (mut gatherer, mut items) = (Gatherer::new(), Numbering::default());
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let fields: Vec<&str> = line.split(',').collect();
        let [customer, item, quantity, time] = fields.as_slice() else { continue };
        gatherer.push(Purchase {
            customer: customer.parse()?,
            item: items.number(item.parse()?),
            quantity: quantity.parse()?,
            time: time.parse()?,
        });
    }
    let count = items.keys().len();
    let gathered = vec![(gatherer, (0..count as u32).collect())];
    let mut out = std::io::stdout().lock();
    for half_life in [None, Some(30.0), Some(90.0)] {
        let settings = Settings {
            half_life_s: half_life.map(|days: f64| days * 86_400.0),
            threads: 2,
            ..Settings::default()
        };
        let (before, baskets) = Histories::split(&gathered, count, &settings, choose::ALL)?;
        writeln!(
            out,
            "half_life {half_life:?}: {} customers, {} baskets, {} items",
            before.len(),
            baskets.len(),
            before.items()
        )?;
        for method in Method::ALL.iter().copied() {
            let start = Instant::now();
            let (model, _) = Model::fit(before.clone(), method, &settings)?;
            let fit = start.elapsed().as_secs_f64();
            let of = |bought, rebuy| {
                let request = Request { bought, rebuy, ..Request::default() };
                evaluate(&model, &request, &baskets)
            };
            let new = of(Bought::Exclude, 0.0)?;
            let any = of(Bought::Allow, 0.0)?;
            let mixed = of(Bought::Allow, 0.8)?;
            let (recall, ndcg, hits) = new.means();
            writeln!(
                out,
                "{:14} new recall {recall:.4} ndcg {ndcg:.4} hit {hits:.3} cover {:.2} | any {:.4} | mixed {:.4} cover {:.2} | fit {fit:.2} s",
                method.name(),
                new.coverage,
                any.means().0,
                mixed.means().0,
                mixed.coverage,
            )?;
        }
    }
    let settings = Settings { threads: 2, ..Settings::default() };
    let (before, baskets) = Histories::split(&gathered, count, &settings, choose::ALL)?;
    for bought in [Bought::Exclude, Bought::Allow] {
        let request = Request { bought, ..Request::default() };
        for trial in choose::trials(&before, &baskets, (&settings, &request), choose::SHARES)? {
            let (name, rebuy, recall) = (trial.method.name(), trial.rebuy, trial.recall);
            writeln!(out, "auto: {bought:?} {name} rebuy {rebuy} {recall:.4}")?;
        }
    }
    Ok(())
}
