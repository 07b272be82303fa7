//! Inputs made from seeds: cut, joined, with bytes and words of a dictionary put in. No random
//! source is asked, so that a run that fails fails again.

/// An endless row of inputs.
pub struct Mutation<'a> {
    seeds: &'a [Vec<u8>],
    words: &'a [Vec<u8>],
    most: usize,
    state: u64,
}

impl<'a> Mutation<'a> {
    /// Inputs of at most `most` bytes. There has to be a seed and a word.
    pub fn new(seeds: &'a [Vec<u8>], words: &'a [Vec<u8>], most: usize) -> Self {
        Self { seeds, words, most, state: 0x9e37_79b9_7f4a_7c15 }
    }

    /// The next input: a seed with up to eight changes.
    pub fn next(&mut self) -> Vec<u8> {
        let mut input = self.one_of(self.seeds).clone();
        for _ in 0..=self.below(8) {
            self.change(&mut input);
        }
        input.truncate(self.most);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let from = self.below(input.len() + 1);
        let to = (from + self.below(12)).min(input.len());
        match self.below(8) {
            // Twice as often as the others: words that mean something.
            0 | 1 => {
                let word = self.one_of(self.words).clone();
                input.splice(from..from, word);
            }
            2 => {
                let word = self.one_of(self.words).clone();
                input.splice(from..to, word);
            }
            3 => {
                input.drain(from..to);
            }
            4 => input.insert(from, u8::try_from(self.below(256)).unwrap_or_default()),
            5 => {
                let bit = 1 << self.below(8);
                if let Some(byte) = input.get_mut(from) {
                    *byte ^= bit;
                }
            }
            6 => {
                let piece = input[from..].to_vec();
                let piece = &piece[..piece.len().min(200)];
                let at = self.below(input.len() + 1);
                input.splice(at..at, piece.iter().copied());
            }
            _ => {
                let other = self.one_of(self.seeds);
                let tail = other[self.below(other.len() + 1)..].to_vec();
                input.truncate(from);
                input.extend(tail);
            }
        }
    }

    fn one_of<T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }

    /// A number below `bound`, which is not 0 (xorshift).
    fn below(&mut self, bound: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state >> 33).unwrap_or_default() % bound
    }
}

/// The words of a libFuzzer dictionary: one in quotes a line, bytes written `\xAB`.
pub fn words(dictionary: &str) -> Vec<Vec<u8>> {
    let word = |line: &str| Some(unescaped(line.strip_prefix('"')?.strip_suffix('"')?));
    dictionary.lines().filter_map(word).collect()
}

fn unescaped(word: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = word;
    while let Some((plain, escape)) = rest.split_once("\\x") {
        bytes.extend_from_slice(plain.as_bytes());
        let (digits, later) = escape.split_at(2);
        bytes.push(u8::from_str_radix(digits, 16).expect("two hexadecimal digits"));
        rest = later;
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}
