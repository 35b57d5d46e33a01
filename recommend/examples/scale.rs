//! How long it takes to recommend to everybody: purchases are made up, gathered, fitted and scored.
//!
//! ```sh
//! cargo run --release -p clientele-recommend --example scale -- 1000000 100 20000 cosine 2
//! ```
//!
//! Customers, lines of each on average, items, method, threads. Items are bought by Zipf–Mandelbrot
//! popularity `1 / (rank + 5)`; numbers of lines are lognormal (σ 1.1); a line is of one of the
//! customer's four favourite groups (55 %), of any (15 %), the complement of the last item (15 %)
//! or bought again (15 %). Lines come month after month, so that no customer's lines stand together.

use std::io::Write;
use std::time::{Duration, Instant};

use clientele_recommend::{
    Changes, Counts, Gathered, Gatherer, Histories, Method, Model, Purchase, Request, Scorer,
    Settings,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// As the server has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const MONTHS: u32 = 36;
const SIGMA: f64 = 1.1;
const FAVOURITES: usize = 4;

/// Items with their cumulated popularity, all and by group.
struct Shop {
    groups: Vec<Vec<(f64, u32)>>,
    all: Vec<(f64, u32)>,
}

impl Shop {
    fn new(items: u32) -> Self {
        let count = (items / 100).max(40) as usize;
        let cumulated = |items: &mut dyn Iterator<Item = u32>| {
            let mut sum = 0.0;
            items
                .map(|item| {
                    sum += 1.0 / (f64::from(item) + 5.0);
                    (sum, item)
                })
                .collect::<Vec<_>>()
        };
        let group = |group| cumulated(&mut (group as u32..items).step_by(count));
        Self { groups: (0..count).map(group).collect(), all: cumulated(&mut (0..items)) }
    }

    fn pick(list: &[(f64, u32)], random: &mut ChaCha8Rng) -> u32 {
        let most = list.last().map_or(0.0, |last| last.0);
        let at = random.random::<f64>() * most;
        list[list.partition_point(|one| one.0 < at).min(list.len() - 1)].1
    }
}

struct Customer {
    rate: f64,
    from: u32,
    until: u32,
    favourites: [usize; FAVOURITES],
    last: u32,
    before: u32,
}

fn customers(count: usize, lines: f64, shop: &Shop, random: &mut ChaCha8Rng) -> Vec<Customer> {
    (0..count)
        .map(|_| {
            let normal = (-2.0 * random.random::<f64>().max(1e-12).ln()).sqrt()
                * (std::f64::consts::TAU * random.random::<f64>()).cos();
            let own =
                (lines.ln() - SIGMA * SIGMA / 2.0 + SIGMA * normal).exp().clamp(1.0, 20_000.0);
            let from = random.random_range(0..MONTHS);
            let until = random.random_range(from..MONTHS) + 1;
            let favourites = std::array::from_fn(|_| random.random_range(0..shop.groups.len()));
            let rate = own / f64::from(until - from);
            Customer { rate, from, until, favourites, last: 0, before: 0 }
        })
        .collect()
}

/// Hands every line of the given share of the customers to `take`.
fn lines(
    customers: &mut [Customer],
    shop: &Shop,
    (first, seed): (usize, u64),
    mut take: impl FnMut(Purchase),
) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let items = shop.all.len() as u32;
    for month in 0..MONTHS {
        for (place, customer) in customers.iter_mut().enumerate() {
            if month < customer.from || month >= customer.until {
                continue;
            }
            let count = (customer.rate + random.random::<f64>()) as u32;
            for _ in 0..count {
                let item = match random.random_range(0..100) {
                    0..55 => {
                        let favourite = customer.favourites[random.random_range(0..FAVOURITES)];
                        Shop::pick(&shop.groups[favourite], &mut random)
                    }
                    55..70 => Shop::pick(&shop.all, &mut random),
                    70..85 => (customer.last * 7 + 13) % items,
                    _ => customer.before,
                };
                customer.before = customer.last;
                customer.last = item;
                let time = 1_700_000_000 + month * 2_592_000;
                let customer = ((first + place) as i64) * 7919 + 12_345;
                take(Purchase { customer, item, quantity: 1.0, time });
            }
        }
    }
}

/// New lines of customers who are known.
fn more(model: &Model, shop: &Shop, count: u64, part: u64) -> Gatherer {
    let mut random = ChaCha8Rng::seed_from_u64(100 + part);
    let mut gatherer = Gatherer::new();
    for _ in 0..count {
        let customer = model.histories.customer(random.random_range(0..model.histories.len()));
        let item = Shop::pick(&shop.all, &mut random);
        gatherer.push(Purchase { customer, item, quantity: 1.0, time: 1_800_000_000 });
    }
    gatherer
}

/// Processor time of this process.
fn cpu() -> anyhow::Result<Duration> {
    let text = std::fs::read_to_string("/proc/self/stat")?;
    let after = text.rsplit_once(')').map_or("", |(_, after)| after);
    let ticks = after.split_whitespace().skip(11).take(2);
    let ticks: u64 = ticks.map(|one| one.parse::<u64>().unwrap_or_default()).sum();
    Ok(Duration::from_millis(ticks * 10))
}

/// Most memory that this process has had, MiB.
fn peak() -> anyhow::Result<u64> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()).unwrap_or("0");
    Ok(kib.parse::<u64>()? / 1024)
}

struct Clock(Instant, Duration);

impl Clock {
    fn lap(&mut self, what: &str) -> anyhow::Result<f64> {
        let (now, used) = (Instant::now(), cpu()?);
        let own = (used - self.1).as_secs_f64();
        let wall = (now - self.0).as_secs_f64();
        writeln!(std::io::stdout(), "{what:22} {own:7.2} CPU-s {wall:7.2} s  {} MiB", peak()?)?;
        *self = Self(now, used);
        Ok(own)
    }
}

/// Ten items for everybody; returns how many there are.
fn recommend(model: &Model, threads: usize) -> usize {
    let customers = model.histories.len();
    let share = customers.div_ceil(threads.max(1));
    let request = &Request::default();
    std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads)
            .map(|part| {
                scope.spawn(move || {
                    let mut scorer = Scorer::new(model, request);
                    let range = part * share..((part + 1) * share).min(customers);
                    range
                        .map(|p| scorer.recommend(model.histories.history(p), &[]).len())
                        .sum::<usize>()
                })
            })
            .collect();
        handles.into_iter().filter_map(|one| one.join().ok()).sum::<usize>()
    })
}

/// The model after so many new lines.
fn take_in(
    (model, mut counts): (Model, Counts),
    shop: &Shop,
    (count, settings): (u64, &Settings),
    clock: &mut Clock,
) -> anyhow::Result<()> {
    let (threads, items) = (settings.threads.max(1) as u64, shop.all.len());
    let all: Vec<u32> = (0..items as u32).collect();
    let plus: Vec<Gathered> =
        (0..threads).map(|part| (more(&model, shop, count / threads, part), all.clone())).collect();
    clock.lap("(1 % new lines)")?;
    let changes = Changes { plus, items_now: all, items, ..Changes::default() };
    model.changed(changes, &mut counts, settings)?;
    clock.lap("taken in").map(drop)
}

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let argument = |place: usize, default: &str| -> String {
        arguments.get(place).cloned().unwrap_or_else(|| default.to_owned())
    };
    let count: usize = argument(1, "100000").parse()?;
    let average: f64 = argument(2, "100").parse()?;
    let items: u32 = argument(3, "20000").parse()?;
    let method = Method::named(&argument(4, "cosine")).unwrap_or(Method::Cosine);
    let threads: usize = argument(5, "2").parse()?;
    let shop = Shop::new(items);
    let make = || customers(count, average, &shop, &mut ChaCha8Rng::seed_from_u64(1));
    let mut clock = Clock(Instant::now(), cpu()?);
    let mut sum = 0_u64;
    lines(&mut make(), &shop, (0, 7), |line| sum += u64::from(line.item));
    let making = clock.lap("(making up lines)")?;
    let mut all = make();
    let share = count.div_ceil(threads.max(1));
    let gathered: Vec<(Gatherer, Vec<u32>)> = std::thread::scope(|scope| {
        let handles: Vec<_> = all
            .chunks_mut(share)
            .enumerate()
            .map(|(part, chunk)| {
                let shop = &shop;
                scope.spawn(move || {
                    let mut gatherer = Gatherer::new();
                    lines(chunk, shop, (part * share, 7 + part as u64), |line| gatherer.push(line));
                    (gatherer, (0..items).collect())
                })
            })
            .collect();
        handles.into_iter().filter_map(|one| one.join().ok()).collect()
    });
    drop(all);
    let count_lines: u64 = gathered.iter().map(|(one, _)| one.lines()).sum();
    let gather = clock.lap("gather (with making up)")? - making;
    // As the server keeps counts.
    let counts_bytes = (count_lines as usize * 8).clamp(64 << 20, 1 << 30);
    let settings = Settings { threads, counts_bytes, ..Settings::default() };
    let histories = Histories::build(gathered, items as usize, &settings)?;
    let (customers, pairs) = (histories.len(), histories.pairs());
    let mut total = gather + clock.lap("histories")?;
    let (model, counts) = Model::fit(histories, method, &settings)?;
    total += clock.lap("neighbours")?;
    let rows = recommend(&model, threads);
    total += clock.lap("top 10 of everybody")?;
    let neighbours = model.neighbours.len();
    if let Some(counts) = counts {
        take_in((model, counts), &shop, (count_lines / 100, &settings), &mut clock)?;
    }
    writeln!(
        std::io::stdout(),
        "{count_lines} lines of {customers} customers ({pairs} pairs): {rows} rows, {} neighbours, {total:.1} CPU-s without making up lines",
        neighbours
    )?;
    Ok(())
}
