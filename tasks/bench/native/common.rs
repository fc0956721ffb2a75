//! What the native peers share: the command line, raw float32 files, and rounds of time. All panics end the program, and
//! the bench prints what they say.
//!
//! ```text
//! PROGRAM training INPUT OUTPUT SECONDS CHECKED_RUNS LOSS RATE BATCH WIDTH WIDTH ...
//! PROGRAM product INPUT OUTPUT SECONDS CHECKED_RUNS M K N
//! ```
use std::{env, fs, time::Instant};

/// Training, where a run is a step, or a product.
pub trait Timed {
    fn run(&mut self, count: usize);
    /// The parameters in order, or the product.
    fn result(&self) -> Vec<f32>;
}

pub struct Workload {
    /// Squared errors, summed over outputs and averaged over rows; else softmax cross-entropy of one-hot targets.
    pub is_mse: bool,
    pub rate: f64,
    pub batch: usize,
    pub widths: Vec<usize>,
    /// Weight [in, out] and bias [out] of each layer.
    pub layers: Vec<(Vec<f32>, Vec<f32>)>,
    /// Inputs [batch, in] and targets [batch, out], in the order of steps.
    pub batches: Vec<(Vec<f32>, Vec<f32>)>,
}

/// Does what the command line asks, and prints the runs per second of three rounds.
pub fn work<T: Timed, P: Timed>(train: impl Fn(Workload) -> T, multiply: impl Fn([usize; 3], Vec<f32>, Vec<f32>) -> P) {
    let args: Vec<String> = env::args().skip(1).collect();
    let bytes = fs::read(&args[1]).expect("cannot read the input");
    let floats = bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap()));
    let mut floats = floats.collect::<Vec<f32>>().into_iter();
    let mut take = |count: usize| floats.by_ref().take(count).collect::<Vec<f32>>();
    if args[0] == "product" {
        let size: Vec<usize> = args[5..].iter().map(|text| text.parse().unwrap()).collect();
        let (a, b) = (take(size[0] * size[1]), take(size[1] * size[2]));
        return check_and_time(multiply([size[0], size[1], size[2]], a, b), &args);
    }
    let batch: usize = args[7].parse().unwrap();
    let widths: Vec<usize> = args[8..].iter().map(|text| text.parse().unwrap()).collect();
    let layers = widths.windows(2).map(|w| (take(w[0] * w[1]), take(w[1]))).collect();
    let mut batches = vec![];
    loop {
        let x = take(batch * widths[0]);
        if x.is_empty() {
            break;
        }
        batches.push((x, take(batch * widths[widths.len() - 1])));
    }
    let (is_mse, rate) = (args[5] == "mse", args[6].parse().unwrap());
    check_and_time(train(Workload { is_mse, rate, batch, widths, layers, batches }), &args);
}

fn check_and_time(mut timed: impl Timed, args: &[String]) {
    let (seconds, checked): (f64, usize) = (args[3].parse().unwrap(), args[4].parse().unwrap());
    timed.run(checked);
    let bytes: Vec<u8> = timed.result().iter().flat_map(|value| value.to_le_bytes()).collect();
    fs::write(&args[2], bytes).expect("cannot write the output");
    let mut time = |count: usize| {
        let start = Instant::now();
        timed.run(count);
        start.elapsed().as_secs_f64()
    };
    let mut count = 1;
    let mut taken = time(count);
    while taken < seconds / 4.0 {
        count *= 2;
        taken = time(count);
    }
    count = ((count as f64 * seconds / taken).round() as usize).max(1);
    let rounds: Vec<f64> = (0..3).map(|_| count as f64 / time(count)).collect();
    println!("{{\"rounds\": {rounds:?}}}");
}
