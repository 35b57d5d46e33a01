//! The files in `names/`.

/// A file of lists: `[section]` lines, and what follows them.
pub(crate) struct Lists(&'static str);

impl Lists {
    /// A file.
    pub(crate) fn new(text: &'static str) -> Self {
        Self(text)
    }

    /// Lines of a section.
    pub(crate) fn lines(&self, section: &str) -> impl Iterator<Item = &'static str> + use<> {
        let head = format!("[{section}]");
        let inside = lines(self.0).skip_while(move |line| *line != head).skip(1);
        inside.take_while(|line| !line.starts_with('['))
    }

    /// Its words as they stand.
    pub(crate) fn list(&self, section: &str) -> impl Iterator<Item = &'static str> + use<> {
        self.lines(section).flat_map(|line| line.split(' '))
    }

    /// Its words.
    pub(crate) fn words(&self, section: &str) -> Vec<String> {
        self.list(section).map(spaced).collect()
    }
}

/// Lines that are neither empty nor comments.
pub(crate) fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// Lists separate their words by spaces; an underscore is a space within one.
pub(crate) fn spaced(word: &str) -> String {
    word.replace('_', " ")
}
