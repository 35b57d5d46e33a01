//! Kernels that every loaded and every shown value passes: text → value, value → text, value →
//! binary. Throughput is values a second.

#![expect(clippy::expect_used, reason = "a measurement that cannot be made ends")]
#![expect(missing_docs, reason = "criterion's macro makes a public function")]

use std::hint::black_box;

use clientele_udfs::binary::ArrayEncoder;
use clientele_udfs::input::{Builder, Context};
use clientele_udfs::output::{Formatter, Style};
use clientele_udfs::types::PgType;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use datafusion::arrow::array::ArrayRef;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const VALUES: usize = 8192;

/// Types with the texts that COPY meets.
fn cases() -> Vec<(&'static str, PgType, Vec<String>)> {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut texts = |write: &mut dyn FnMut(&mut ChaCha8Rng) -> String| {
        (0..VALUES).map(|_| write(&mut random)).collect::<Vec<_>>()
    };
    let number = |random: &mut ChaCha8Rng| random.random_range(0..1_000_000).to_string();
    let money = |random: &mut ChaCha8Rng| {
        format!("{}.{:02}", random.random_range(0..10_000), random.random_range(0..100))
    };
    let time = |random: &mut ChaCha8Rng| {
        let (day, second) = (random.random_range(1..29), random.random_range(0..60));
        format!("2026-03-{day:02} 12:34:{second:02}.123456+00")
    };
    let day = |random: &mut ChaCha8Rng| format!("1980-07-{:02}", random.random_range(1..29));
    let mail = |random: &mut ChaCha8Rng| {
        format!("person{}@example.com", random.random_range(0..1_000_000))
    };
    vec![
        ("int4", PgType::INT4, texts(&mut { number })),
        ("numeric", PgType::NUMERIC, texts(&mut { money })),
        ("timestamptz", PgType::TIMESTAMPTZ, texts(&mut { time })),
        ("date", PgType::DATE, texts(&mut { day })),
        ("text", PgType::TEXT, texts(&mut { mail })),
    ]
}

fn array(pg_type: PgType, texts: &[String]) -> ArrayRef {
    let context = Context::default();
    let mut builder = Builder::new(pg_type, texts.len()).expect("a plain type");
    for text in texts {
        builder.append(Some(text), &context).expect("a value");
    }
    builder.finish()
}

fn read(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("text to value");
    group.throughput(Throughput::Elements(VALUES as u64));
    for (name, pg_type, texts) in cases() {
        group.bench_function(name, |bencher| bencher.iter(|| array(pg_type, black_box(&texts))));
    }
}

fn write(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("value to text");
    group.throughput(Throughput::Elements(VALUES as u64));
    for (name, pg_type, texts) in cases() {
        let array = array(pg_type, &texts);
        let mut out = Vec::new();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                out.clear();
                let rows = Formatter::for_array(pg_type, &array, &Style::default());
                let rows = rows.expect("a plain type");
                for row in 0..VALUES {
                    let _ = rows.write(row, &mut out);
                }
                black_box(out.len())
            });
        });
    }
}

fn encode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("value to binary");
    group.throughput(Throughput::Elements(VALUES as u64));
    for (name, pg_type, texts) in cases() {
        let array = array(pg_type, &texts);
        let mut out = Vec::new();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                out.clear();
                let rows = ArrayEncoder::for_array(pg_type, &array).expect("a plain type");
                for row in 0..VALUES {
                    let _ = rows.write(row, &mut out);
                }
                black_box(out.len())
            });
        });
    }
}

criterion_group!(kernels, read, write, encode);
criterion_main!(kernels);
