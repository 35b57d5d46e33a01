//! Measurements. `cargo bench -p clientele-benches` times kernels; `benches/compare/run` puts whole
//! jobs side by side with PostgreSQL and DuckDB and writes `docs/benchmarks/`.
