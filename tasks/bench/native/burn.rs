//! Burn on ndarray as a peer of the bench: autodiff, plain SGD.
mod common;

use burn::backend::{Autodiff, NdArray};
use burn::tensor::{activation, Tensor, TensorData};
use common::{Timed, Workload};

type Matrix = Tensor<Autodiff<NdArray<f32>>, 2>;
type Plain = Tensor<NdArray<f32>, 2>;

fn matrix(values: Vec<f32>, shape: [usize; 2]) -> Matrix {
    Tensor::from_data(TensorData::new(values, shape), &Default::default())
}

fn plain(values: Vec<f32>, shape: [usize; 2]) -> Plain {
    Tensor::from_data(TensorData::new(values, shape), &Default::default())
}

struct Network {
    is_mse: bool,
    rate: f64,
    /// Weight, bias, weight, bias ...
    parameters: Vec<Matrix>,
    batches: Vec<(Matrix, Matrix)>,
    next: usize,
}

impl Network {
    fn step(&mut self) {
        let (x, y) = self.batches[self.next].clone();
        self.next = (self.next + 1) % self.batches.len();
        let rows = x.dims()[0] as f32;
        let last = self.parameters.len() / 2 - 1;
        let mut a = x;
        for (l, layer) in self.parameters.chunks(2).enumerate() {
            let z = a.matmul(layer[0].clone()) + layer[1].clone();
            a = if l < last { activation::relu(z) } else { z };
        }
        let sum = if self.is_mse { (a - y).square().sum() } else { (activation::log_softmax(a, 1) * y).sum().neg() };
        let gradients = (sum / rows).backward();
        for parameter in &mut self.parameters {
            let gradient = parameter.grad(&gradients).unwrap();
            let value = parameter.clone().inner() - gradient * self.rate as f32;
            *parameter = Tensor::from_inner(value).require_grad();
        }
    }
}

impl Timed for Network {
    fn run(&mut self, count: usize) {
        (0..count).for_each(|_| self.step());
    }

    fn result(&self) -> Vec<f32> {
        self.parameters.iter().flat_map(|p| p.to_data().to_vec::<f32>().unwrap()).collect()
    }
}

fn train(workload: Workload) -> Network {
    let Workload { is_mse, rate, batch, widths, layers, batches } = workload;
    let (inputs, outputs) = (widths[0], widths[widths.len() - 1]);
    let mut parameters = vec![];
    for (l, (weight, bias)) in layers.into_iter().enumerate() {
        parameters.push(matrix(weight, [widths[l], widths[l + 1]]).require_grad());
        parameters.push(matrix(bias, [1, widths[l + 1]]).require_grad());
    }
    let load = |(x, y)| (matrix(x, [batch, inputs]), matrix(y, [batch, outputs]));
    Network { is_mse, rate, parameters, batches: batches.into_iter().map(load).collect(), next: 0 }
}

struct Product(Plain, Plain, Plain);

impl Timed for Product {
    fn run(&mut self, count: usize) {
        (0..count).for_each(|_| self.2 = self.0.clone().matmul(self.1.clone()));
    }

    fn result(&self) -> Vec<f32> {
        self.2.to_data().to_vec().unwrap()
    }
}

fn main() {
    common::work(train, |[m, k, n], a, b| Product(plain(a, [m, k]), plain(b, [k, n]), plain(vec![0.0], [1, 1])));
}
