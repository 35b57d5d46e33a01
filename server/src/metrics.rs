//! What the server counts, for Prometheus.

use std::time::Instant;

use prometheus::{
    Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry, TextEncoder,
};

/// All counters. Cheap to count in, read by `/metrics`.
pub struct Metrics {
    registry: Registry,
    /// Open connections, logged in or not.
    pub connections: IntGauge,
    /// Connections that were accepted.
    pub connections_accepted: IntCounter,
    /// Connections that were turned away because there were too many.
    pub connections_refused: IntCounter,
    /// Logins that failed.
    pub logins_failed: IntCounter,
    /// Finished statements, by the first word of their command tag.
    pub statements: IntCounterVec,
    /// Failed statements, by class of SQLSTATE.
    pub errors: IntCounterVec,
    /// Time from the arrival of a statement to its last row.
    pub seconds: Histogram,
    /// Rows sent.
    pub rows_sent: IntCounter,
    /// Bytes received.
    pub bytes_received: IntCounter,
    /// Bytes sent.
    pub bytes_sent: IntCounter,
    /// Sessions ended by an internal error.
    pub panics: IntCounter,
}

impl Metrics {
    /// Counters at zero.
    ///
    /// # Errors
    /// None in practice: names are constants and differ.
    pub fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let counter = |name: &str, help: &str| -> prometheus::Result<IntCounter> {
            let counter = IntCounter::new(format!("clientele_{name}"), help)?;
            registry.register(Box::new(counter.clone()))?;
            Ok(counter)
        };
        let by = |name: &str, help: &str, label: &str| -> prometheus::Result<IntCounterVec> {
            let options = Opts::new(format!("clientele_{name}"), help);
            let counters = IntCounterVec::new(options, &[label])?;
            registry.register(Box::new(counters.clone()))?;
            Ok(counters)
        };
        let connections = IntGauge::new("clientele_connections", "Open connections")?;
        registry.register(Box::new(connections.clone()))?;
        let buckets = prometheus::exponential_buckets(0.000_1, 4.0, 11)?;
        let options = HistogramOpts::new("clientele_statement_seconds", "Duration of statements");
        let seconds = Histogram::with_opts(options.buckets(buckets))?;
        registry.register(Box::new(seconds.clone()))?;
        Ok(Self {
            connections,
            seconds,
            connections_accepted: counter("connections_accepted_total", "Connections accepted")?,
            connections_refused: counter("connections_refused_total", "Connections turned away")?,
            logins_failed: counter("logins_failed_total", "Failed logins")?,
            statements: by("statements_total", "Finished statements by kind", "kind")?,
            errors: by("errors_total", "Failed statements by class of SQLSTATE", "class")?,
            rows_sent: counter("rows_sent_total", "Rows sent to clients")?,
            bytes_received: counter("received_bytes_total", "Bytes received from clients")?,
            bytes_sent: counter("sent_bytes_total", "Bytes sent to clients")?,
            panics: counter("panics_total", "Sessions ended by an internal error")?,
            registry,
        })
    }

    /// Counts a finished statement by its command tag.
    pub fn statement_done(&self, tag: &str, began: Instant) {
        let kind = tag.split(' ').next().unwrap_or_default();
        self.statements.with_label_values(&[kind]).inc();
        self.seconds.observe(began.elapsed().as_secs_f64());
    }

    /// Counts a failed statement.
    pub fn statement_failed(&self, sqlstate: &str) {
        self.errors.with_label_values(&[sqlstate.get(..2).unwrap_or("XX")]).inc();
    }

    /// The page that Prometheus reads.
    pub fn page(&self) -> String {
        let families = self.registry.gather();
        TextEncoder::new().encode_to_string(&families).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_what_was_counted() {
        let metrics = Metrics::new().unwrap();
        metrics.statement_done("INSERT 0 3", Instant::now());
        metrics.statement_failed("22012");
        let page = metrics.page();
        assert!(page.contains("clientele_statements_total{kind=\"INSERT\"} 1"), "{page}");
        assert!(page.contains("clientele_errors_total{class=\"22\"} 1"), "{page}");
    }
}
