//! The rows of tables as records to match.

use std::collections::{HashMap, HashSet};

use clientele_catalog::domains::Subject;
use clientele_identity::matching::{Column, Meaning, NULL, Records};
use clientele_udfs::output;
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringViewArray};

use super::columns::Plan;
use crate::error::Result;
use crate::planning::context::QueryContext;

/// Records and the node of each: one record for each node.
#[derive(Debug, Default)]
pub(super) struct Matchable {
    pub(super) records: Records,
    pub(super) nodes: Vec<u32>,
}

/// Builds a column of records.
struct Builder {
    name: String,
    meaning: Meaning,
    codes: Vec<u32>,
    places: HashMap<String, u32>,
    dictionary: Vec<String>,
}

impl Builder {
    fn push(&mut self, value: Option<&str>) {
        let value = value.map(str::trim).filter(|one| !one.is_empty());
        let code = value.map_or(NULL, |value| match self.places.get(value) {
            Some(place) => *place,
            None => {
                let place = u32::try_from(self.dictionary.len()).unwrap_or(NULL);
                self.dictionary.push(value.to_owned());
                self.places.insert(value.to_owned(), place);
                place
            }
        });
        self.codes.push(code);
    }
}

/// Reads the records of a plan whose nodes are not `known`.
///
/// # Errors
/// A file cannot be read.
pub(super) fn read(context: &QueryContext, plan: &Plan, known: &HashSet<u32>) -> Result<Matchable> {
    let mut builders: Vec<Builder> = plan
        .comparisons
        .iter()
        .map(|(name, meaning)| Builder {
            name: name.clone(),
            meaning: *meaning,
            codes: Vec::new(),
            places: HashMap::new(),
            dictionary: Vec::new(),
        })
        .collect();
    let (mut nodes, mut sources) = (Vec::new(), Vec::new());
    let mut seen: HashSet<u32> = HashSet::new();
    for (number, source) in (0..).zip(&plan.sources) {
        let numbers: Vec<i16> = source.columns.iter().map(|(number, _)| *number).collect();
        let types: Vec<PgType> = numbers
            .iter()
            .filter_map(|number| source.relation.column_by_number(*number))
            .map(|column| column.pg_type)
            .collect();
        let mut failed = None;
        context.store.node_rows(
            &context.snapshot,
            &source.relation,
            (Subject::Person, &numbers),
            |rows| {
                let texts = rows
                    .columns
                    .iter()
                    .zip(&types)
                    .map(|(array, pg_type)| text_of(array, *pg_type));
                let texts = match texts.collect::<Result<Vec<_>>>() {
                    Ok(texts) => texts,
                    Err(error) => {
                        failed = Some(error);
                        return;
                    }
                };
                for (row, node) in rows.nodes.iter().enumerate() {
                    if *node == 0 || known.contains(node) || !seen.insert(*node) {
                        continue;
                    }
                    nodes.push(*node);
                    sources.push(number);
                    let mut filled = vec![None; builders.len()];
                    for ((_, place), text) in source.columns.iter().zip(&texts) {
                        if let Some(slot) = filled.get_mut(*place) {
                            *slot = text.is_valid(row).then(|| text.value(row));
                        }
                    }
                    builders.iter_mut().zip(filled).for_each(|(one, value)| one.push(value));
                }
            },
        )?;
        if let Some(error) = failed {
            return Err(error);
        }
    }
    let columns = builders.into_iter().map(|one| Column {
        name: one.name,
        meaning: one.meaning,
        codes: one.codes,
        dictionary: one.dictionary,
    });
    let records = Records { columns: columns.collect(), source: sources, len: nodes.len() };
    Ok(Matchable { records, nodes })
}

fn text_of(array: &ArrayRef, pg_type: PgType) -> Result<StringViewArray> {
    if let Some(text) = array.as_string_view_opt() {
        return Ok(text.clone());
    }
    let text = output::to_text_array(array, pg_type, &output::Style::default())?;
    Ok(text.as_string_view().clone())
}
