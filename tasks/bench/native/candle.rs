//! Candle on the CPU as a peer of the bench: its own backward pass and SGD.
mod common;

use candle_core::{Device, Result, Tensor, Var};
use candle_nn::{ops, Optimizer, SGD};
use common::{Timed, Workload};

struct Network {
    is_mse: bool,
    /// Weight, bias, weight, bias ...
    parameters: Vec<Var>,
    optimizer: SGD,
    batches: Vec<(Tensor, Tensor)>,
    next: usize,
}

impl Network {
    fn step(&mut self) -> Result<()> {
        let (x, y) = &self.batches[self.next];
        self.next = (self.next + 1) % self.batches.len();
        let last = self.parameters.len() / 2 - 1;
        let mut a = x.clone();
        for (l, layer) in self.parameters.chunks(2).enumerate() {
            let z = a.matmul(&layer[0])?.broadcast_add(&layer[1])?;
            a = if l < last { z.relu()? } else { z };
        }
        let sum =
            if self.is_mse { (a - y)?.sqr()?.sum_all()? } else { (ops::log_softmax(&a, 1)? * y)?.sum_all()?.neg()? };
        self.optimizer.backward_step(&(sum / x.dim(0)? as f64)?)
    }
}

impl Timed for Network {
    fn run(&mut self, count: usize) {
        (0..count).for_each(|_| self.step().unwrap());
    }

    fn result(&self) -> Vec<f32> {
        self.parameters.iter().flat_map(|parameter| floats(parameter)).collect()
    }
}

fn floats(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn tensor(values: Vec<f32>, shape: (usize, usize)) -> Result<Tensor> {
    Tensor::from_vec(values, shape, &Device::Cpu)
}

fn train(workload: Workload) -> Result<Network> {
    let Workload { is_mse, rate, batch, widths, layers, batches } = workload;
    let mut parameters = vec![];
    for (l, (weight, bias)) in layers.into_iter().enumerate() {
        parameters.push(Var::from_tensor(&tensor(weight, (widths[l], widths[l + 1]))?)?);
        parameters.push(Var::from_tensor(&Tensor::from_vec(bias, widths[l + 1], &Device::Cpu)?)?);
    }
    let (inputs, outputs) = (widths[0], widths[widths.len() - 1]);
    let load = |(x, y)| Ok((tensor(x, (batch, inputs))?, tensor(y, (batch, outputs))?));
    let batches = batches.into_iter().map(load).collect::<Result<_>>()?;
    let optimizer = SGD::new(parameters.clone(), rate)?;
    Ok(Network { is_mse, parameters, optimizer, batches, next: 0 })
}

struct Product(Tensor, Tensor, Option<Tensor>);

impl Timed for Product {
    fn run(&mut self, count: usize) {
        (0..count).for_each(|_| self.2 = Some(self.0.matmul(&self.1).unwrap()));
    }

    fn result(&self) -> Vec<f32> {
        floats(self.2.as_ref().unwrap())
    }
}

fn main() {
    let multiply = |[m, k, n]: [usize; 3], a, b| Product(tensor(a, (m, k)).unwrap(), tensor(b, (k, n)).unwrap(), None);
    common::work(|workload| train(workload).unwrap(), multiply);
}
