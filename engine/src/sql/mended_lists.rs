//! Lists of definitions whose order or names sqlparser does not take, put into an order that it does.
//!
//! | PostgreSQL | tokens |
//! |---|---|
//! | `AS IDENTITY (START 5 INCREMENT 2)` | `AS IDENTITY (INCREMENT 2 START 5)`: any order is one order |
//! | `ON FUNCTION f(a integer)`, `ALTER FUNCTION f(a integer)` | `f(integer)`: names of arguments say nothing there |
//! | `ON FUNCTION f(a integer, OUT b text)` | `f(integer)`: nor do OUT arguments |
//! | `CREATE FUNCTION … COST 100 ROWS 10 LEAKPROOF` | nothing: estimates for another planner |

use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::mended::{is_word, remove};

/// The order in which sqlparser reads the options of a sequence.
const SEQUENCE_OPTIONS: &[&str] =
    &["increment", "minvalue", "maxvalue", "start", "restart", "cache", "cycle"];

/// Mends the lists of a statement; `solid` are the places of what is no white space.
pub(super) fn mend(tokens: &mut [TokenWithSpan], solid: &[usize]) {
    let before = tokens.to_owned();
    let look = |at: usize| solid.get(at).map(|place| &before[*place].token);
    for at in 0..solid.len() {
        if is_word(look(at), "identity") && look(at + 1) == Some(&Token::LParen) {
            put_in_order(tokens, solid, at + 2);
        }
    }
    let function = ["function", "procedure", "routine"];
    let named = |at: usize| function.iter().any(|word| is_word(look(at), word));
    let first = |words: &[&str]| words.iter().any(|word| is_word(look(0), word));
    if first(&["create"]) && (1..5).any(named) {
        remove_estimates(tokens, solid, &look);
    } else if first(&["grant", "revoke", "comment", "alter"])
        && let Some(at) = (1..solid.len()).find(|at| named(*at))
        && let Some(open) = (at..solid.len()).find(|at| look(*at) == Some(&Token::LParen))
    {
        remove_argument_names(tokens, solid, open, &look);
    }
}

/// Sorts the options that begin at a place by the order of [`SEQUENCE_OPTIONS`].
fn put_in_order(tokens: &mut [TokenWithSpan], solid: &[usize], first: usize) {
    let end = (first..solid.len()).find(|at| tokens[solid[*at]].token == Token::RParen);
    let Some(places) = end.and_then(|end| solid.get(first..end)) else { return };
    let mut options: Vec<(usize, Vec<TokenWithSpan>)> = Vec::new();
    for place in places {
        let token = &tokens[*place];
        let begun_by_no = options.last().is_some_and(|(_, one)| {
            one.len() == 1 && is_word(one.first().map(|token| &token.token), "no")
        });
        let rank = SEQUENCE_OPTIONS.iter().position(|word| is_word(Some(&token.token), word));
        match (rank, options.last_mut()) {
            (Some(rank), Some(option)) if begun_by_no => {
                option.0 = rank;
                option.1.push(token.clone());
            }
            (Some(rank), _) => options.push((rank, vec![token.clone()])),
            (None, _) if is_word(Some(&token.token), "no") => {
                options.push((0, vec![token.clone()]));
            }
            (None, Some(option)) => option.1.push(token.clone()),
            (None, None) => return,
        }
    }
    options.sort_by_key(|(rank, _)| *rank);
    for (place, token) in places.iter().zip(options.into_iter().flat_map(|(_, option)| option)) {
        tokens[*place] = token;
    }
}

fn remove_estimates<'a>(
    tokens: &mut [TokenWithSpan],
    solid: &[usize],
    look: &impl Fn(usize) -> Option<&'a Token>,
) {
    for at in 1..solid.len() {
        let number = matches!(look(at + 1), Some(Token::Number(..)));
        if number && (is_word(look(at), "cost") || is_word(look(at), "rows")) {
            remove(tokens, &solid[at..at + 2]);
        } else if is_word(look(at), "leakproof") {
            let from = if is_word(look(at - 1), "not") { at - 1 } else { at };
            remove(tokens, &solid[from..=at]);
        }
    }
}

/// Removes the first word of `a integer`; `double precision` and its like are types.
fn remove_argument_names<'a>(
    tokens: &mut [TokenWithSpan],
    solid: &[usize],
    open: usize,
    look: &impl Fn(usize) -> Option<&'a Token>,
) {
    let long = ["double", "character", "char", "bit", "national", "timestamp", "time", "interval"];
    let mut begins = true;
    for at in open + 1..solid.len() {
        match look(at) {
            Some(Token::RParen) | None => return,
            Some(Token::Comma) => {
                begins = true;
                continue;
            }
            Some(Token::Word(_)) if begins && is_word(look(at), "out") => {
                remove_argument(tokens, solid, at, look);
            }
            Some(Token::Word(_)) if begins => {
                let named = matches!(look(at + 1), Some(Token::Word(_)))
                    && !long.iter().any(|word| is_word(look(at), word));
                if named {
                    remove(tokens, &solid[at..=at]);
                    continue;
                }
                begins = false;
            }
            _ => begins = false,
        }
    }
}

/// Removes an argument that says nothing about which function is meant, and a comma beside it.
fn remove_argument<'a>(
    tokens: &mut [TokenWithSpan],
    solid: &[usize],
    at: usize,
    look: &impl Fn(usize) -> Option<&'a Token>,
) {
    let ends = |at: &usize| matches!(look(*at), Some(Token::Comma | Token::RParen) | None);
    let end = (at..=solid.len()).find(ends).unwrap_or(solid.len());
    remove(tokens, &solid[at..end]);
    match (look(at - 1), look(end)) {
        (Some(Token::Comma), _) => remove(tokens, &solid[at - 1..at]),
        (_, Some(Token::Comma)) => remove(tokens, &solid[end..=end]),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse::parse;

    #[test]
    fn lists_are_read_in_any_order() {
        for text in [
            "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY (START WITH 5 NO CYCLE INCREMENT BY 2))",
            "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY (CACHE 1 NO MAXVALUE MINVALUE 2))",
            "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql COST 5 ROWS 10 NOT LEAKPROOF AS $$ SELECT 1 $$",
            "GRANT EXECUTE ON FUNCTION f(a integer, double precision, IN b text) TO r",
            "COMMENT ON FUNCTION f(a integer) IS 'x'",
            "ALTER FUNCTION f(a integer, b character varying) OWNER TO r",
            "ALTER FUNCTION f(OUT a integer, INOUT b text, OUT c text) OWNER TO r",
        ] {
            assert!(parse(text).is_ok(), "{text}");
        }
    }
}
