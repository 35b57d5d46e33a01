//! Where something stands in the client's text: line and column → PostgreSQL's position.

use sqlparser::ast::{Expr, Ident, ObjectName, Query, Spanned, Visit, Visitor};
use sqlparser::tokenizer::Location;
use std::ops::ControlFlow;

use crate::error::{Error, Result};

/// The text that a client sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The text.
    pub text: String,
}

impl Source {
    /// Position in characters from 1, as ErrorResponse's field `P` counts.
    pub fn position(&self, location: Location) -> Option<usize> {
        if location.line == 0 {
            return None;
        }
        let line = usize::try_from(location.line).ok()?;
        let column = usize::try_from(location.column).ok()?;
        let before: usize =
            self.text.split('\n').take(line - 1).map(|line| line.chars().count() + 1).sum();
        Some(before + column)
    }

    /// Position of the one quoted literal of that text; `None` where there are several, or none.
    pub fn literal(&self, text: &str) -> Option<usize> {
        let quoted = format!("'{}'", text.replace('\'', "''"));
        let mut places = self.text.match_indices(&quoted).map(|(place, _)| place);
        let place = places.next().filter(|_| places.next().is_none())?;
        Some(self.text[..place].chars().count() + 1)
    }

    /// Byte offset of a location; the end of the text when it lies beyond.
    pub fn offset(&self, location: Location) -> usize {
        let Some(position) = self.position(location) else { return 0 };
        self.text.char_indices().nth(position - 1).map_or(self.text.len(), |(offset, _)| offset)
    }
}

/// Finds where a name is first used in a tree: as a column (last part of a compound name, too).
pub fn of_identifier(tree: &impl Visit, name: &str) -> Option<Location> {
    let mut finder = Finder { name, qualifier: None, found: None };
    let _ = tree.visit(&mut finder);
    finder.found
}

/// Finds where a relation is first named in a tree.
pub fn of_relation(tree: &impl Visit, name: &str) -> Option<Location> {
    let mut finder = RelationFinder { name, found: None };
    let _ = tree.visit(&mut finder);
    finder.found
}

/// Finds where a function is first called in a tree.
pub fn of_function(tree: &impl Visit, name: &str) -> Option<Location> {
    let mut finder = FunctionFinder { name, found: None };
    let _ = tree.visit(&mut finder);
    finder.found
}

struct Finder<'a> {
    name: &'a str,
    qualifier: Option<&'a str>,
    found: Option<Location>,
}

impl Finder<'_> {
    fn look(&mut self, parts: &[Ident]) -> ControlFlow<()> {
        let fits = parts.last().is_some_and(|last| folded(last) == self.name)
            && self.qualifier.is_none_or(|wanted| parts.iter().any(|part| folded(part) == wanted));
        match parts.first() {
            Some(first) if fits => {
                self.found = Some(first.span.start);
                ControlFlow::Break(())
            }
            _ => ControlFlow::Continue(()),
        }
    }
}

impl Visitor for Finder<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Identifier(ident) => self.look(std::slice::from_ref(ident)),
            Expr::CompoundIdentifier(parts) => self.look(parts),
            _ => ControlFlow::Continue(()),
        }
    }
}

struct RelationFinder<'a> {
    name: &'a str,
    found: Option<Location>,
}

impl Visitor for RelationFinder<'_> {
    type Break = ();

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        if name_parts(relation).last().is_some_and(|last| last == self.name) {
            self.found = Some(relation.span().start);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}

struct FunctionFinder<'a> {
    name: &'a str,
    found: Option<Location>,
}

impl Visitor for FunctionFinder<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if let Expr::Function(function) = expr
            && name_parts(&function.name).last().is_some_and(|last| last == self.name)
        {
            self.found = Some(function.name.span().start);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}

/// An identifier as PostgreSQL folds it: lower case unless quoted.
pub fn folded(ident: &Ident) -> String {
    match ident.quote_style {
        Some(_) => ident.value.clone(),
        None => ident.value.to_lowercase(),
    }
}

/// The folded parts of a qualified name.
pub fn name_parts(name: &ObjectName) -> Vec<String> {
    name.0.iter().filter_map(|part| part.as_ident()).map(folded).collect()
}

/// Whether there is a query in an expression.
pub(crate) fn has_query(expr: &Expr) -> bool {
    struct Queries;
    impl Visitor for Queries {
        type Break = ();
        fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            ControlFlow::Break(())
        }
    }
    Visit::visit(expr, &mut Queries).is_break()
}

/// Refuses a query in an expression that is kept with a table: it would be asked with the rights of
/// whoever writes rows, and tell its owner.
///
/// # Errors
/// 0A000.
pub(crate) fn refuse_query(expr: &Expr, clause: &str) -> Result<()> {
    match has_query(expr) {
        true => Err(Error::new("0A000", format!("cannot use subquery in {clause}"))),
        false => Ok(()),
    }
}
