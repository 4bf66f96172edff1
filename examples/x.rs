fn main() {
    let p = std::env::args().nth(1).unwrap();
    let b = std::fs::read(&p).unwrap();
    let name = std::path::Path::new(&p)
        .file_name()
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    let (s, g) = keymuster::pipeline::examine(&b, name.as_bytes());
    for s in s {
        println!("{}", serde_json::to_string(&s).unwrap());
    }
    for g in g {
        println!("{}", serde_json::to_string(&g).unwrap());
    }
}
