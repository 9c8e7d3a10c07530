//! Conditions of gates, in CEL (the Common Expression Language). A configuration or a plan may come from a stranger, so that an expression
//! is bounded: in its length, its depth, its loops and its time. It is parsed without the crate's ANTLR parser, whose memory and stack grow
//! without a limit on some short texts (cel-rust/cel-rust#305 and #306), and on a thread with a stack that the bounds cannot exhaust.

use std::collections::HashMap;
use std::sync::mpsc;
use std::time::Duration;

use cel::common::ast::{EntryExpr, Expr};
use cel::parser::{Expression, PrattParser};
use cel::{Context, Value as CelValue};
use serde_json::Value;

/// The length of the longest expression, in bytes.
const MAX_LENGTH: usize = 4096;

/// The depth of the deepest expression.
const MAX_DEPTH: u16 = 32;

/// The number of parts of the largest expression.
const MAX_NODES: usize = 1000;

/// The number of loops (`all`, `exists`, `map`, `filter`) in an expression, and of those within each other.
const MAX_LOOPS: usize = 8;
const MAX_LOOPS_WITHIN: usize = 2;

/// The stack of the thread. An expression has at most [`MAX_NODES`] levels.
const STACK: usize = 64 * 1024 * 1024;

/// The time that an expression may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The variables of a condition, by name.
pub type Variables = Vec<(&'static str, Value)>;

/// Returns whether the condition `text` holds.
///
/// # Errors
///
/// The reason, if that cannot be found out: the expression is malformed, takes too long, or is not of true or false.
pub fn holds(text: &str, variables: Variables) -> Result<bool, String> {
    on_thread(text, move |text| {
        let expression = parse(text)?;
        let mut context = Context::default();
        for (name, value) in &variables {
            context.add_variable_from_value(*name, converted(value));
        }
        match context.resolve(&expression) {
            Ok(CelValue::Bool(holds)) => Ok(holds),
            Ok(_) => Err("it is neither true nor false".to_owned()),
            Err(error) => Err(shortened(&error.to_string())),
        }
    })
}

/// Checks that `text` is an expression.
///
/// # Errors
///
/// The reason why it is none.
pub fn check_condition(text: &str) -> Result<(), String> {
    on_thread(text, |text| parse(text).map(drop))
}

/// Runs `work` on a thread of its own, for a limited time.
fn on_thread<T: Send + 'static>(
    text: &str,
    work: impl FnOnce(&str) -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    if text.len() > MAX_LENGTH {
        return Err(format!("it has more than {MAX_LENGTH} bytes"));
    }
    let text = text.to_owned();
    let (sender, receiver) = mpsc::sync_channel(1);
    let thread = std::thread::Builder::new().name("condition".to_owned()).stack_size(STACK);
    // The thread is not waited for: a comparison that takes too long ends with the process.
    let started = thread.spawn(move || drop(sender.send(work(&text))));
    started.map_err(|error| format!("no thread can be started: {error}"))?;
    match receiver.recv_timeout(TIMEOUT) {
        Ok(result) => result,
        Err(mpsc::RecvTimeoutError::Timeout) => Err(format!("it takes more than {} s", TIMEOUT.as_secs())),
        Err(mpsc::RecvTimeoutError::Disconnected) => Err("it cannot be computed".to_owned()),
    }
}

fn parse(text: &str) -> Result<Expression, String> {
    let parser = PrattParser::new()
        .max_recursion_depth(MAX_DEPTH)
        .max_expression_node_count(MAX_NODES)
        .error_recovery_limit(1)
        .error_reporting_limit(1);
    let expression = parser.parse(text).map_err(|errors| {
        let first = errors.errors.first().map(|error| error.msg.clone()).unwrap_or_default();
        shortened(first.trim_start_matches("Syntax error: "))
    })?;
    let mut loops = 0;
    if within(&expression, 0, &mut loops) > MAX_LOOPS_WITHIN || loops > MAX_LOOPS {
        return Err(format!(
            "it has more than {MAX_LOOPS} loops, or more than {MAX_LOOPS_WITHIN} within each other"
        ));
    }
    Ok(expression)
}

/// Returns how many loops of `expression` are within each other, `outer` others included, and counts them in `loops`.
fn within(expression: &Expression, outer: usize, loops: &mut usize) -> usize {
    let mut deepest = outer;
    let mut visit = |part: &Expression, outer: usize| deepest = deepest.max(within(part, outer, loops));
    match &expression.expr {
        Expr::Call(call) => {
            call.target.iter().for_each(|target| visit(target, outer));
            call.args.iter().for_each(|argument| visit(argument, outer));
        }
        Expr::Comprehension(it) => {
            let parts = [&it.iter_range, &it.accu_init, &it.loop_cond, &it.loop_step, &it.result];
            for part in parts {
                visit(part, outer + 1);
            }
            *loops += 1;
            deepest = deepest.max(outer + 1);
        }
        Expr::List(list) => list.elements.iter().for_each(|element| visit(element, outer)),
        Expr::Select(select) => visit(&select.operand, outer),
        Expr::Map(map) => map.entries.iter().for_each(|entry| entry_parts(&entry.expr, outer, &mut visit)),
        Expr::Struct(it) => it.entries.iter().for_each(|entry| entry_parts(&entry.expr, outer, &mut visit)),
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => {}
    }
    deepest
}

fn entry_parts(entry: &EntryExpr, outer: usize, visit: &mut impl FnMut(&Expression, usize)) {
    match entry {
        EntryExpr::StructField(field) => visit(&field.value, outer),
        EntryExpr::MapEntry(entry) => {
            visit(&entry.key, outer);
            visit(&entry.value, outer);
        }
    }
}

/// Returns a value of JSON as one of CEL. Whole numbers are of the type that literals have.
fn converted(value: &Value) -> CelValue {
    match value {
        Value::Null => CelValue::Null,
        Value::Bool(value) => CelValue::Bool(*value),
        Value::String(text) => CelValue::from(text.as_str()),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => CelValue::Int(whole),
            (None, Some(float)) => CelValue::Float(float),
            (None, None) => CelValue::Null,
        },
        Value::Array(list) => CelValue::List(list.iter().map(converted).collect::<Vec<_>>().into()),
        Value::Object(members) => {
            let members = members.iter().map(|(key, value)| (key.clone(), converted(value)));
            CelValue::from(members.collect::<HashMap<String, CelValue>>())
        }
    }
}

/// The beginning of a message of the crate, which may hold a whole value.
fn shortened(message: &str) -> String {
    let message = message.trim();
    let mut short: String = message.chars().take(200).collect();
    if short.len() < message.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
#[path = "condition_tests.rs"]
mod tests;
