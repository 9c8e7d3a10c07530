//! A report as a page: a title, a sentence that sums it up, tables and remarks, as Markdown and HTML.

mod annotations;
mod contents;
mod html;
mod markdown;

pub use annotations::{annotations, code_quality};
pub use contents::Page;
pub(super) use contents::{PLAIN, PageRow, PageTable};
pub use html::html;
pub(super) use html::{document, escaped};
pub use markdown::markdown;

#[cfg(test)]
mod tests;
