#[cfg(test)]
mod tests {
    #[test]
    fn before() {
        std::fs::write("/tmp/x", "a").unwrap();
    }

    #[test]
    fn open_bracket() {
        let x = vec![1, 2;
        let s = "no end;
    }

    fn (
