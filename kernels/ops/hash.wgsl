// What stands before the kernels that drop values: a hash of a place, for a key and a step. mix is MurmurHash3's mixer (Appleby
// 2011).
fn mix(word: u32) -> u32 {
  var w = (word ^ (word >> 16u)) * 0x85ebca6bu;
  w = (w ^ (w >> 13u)) * 0xc2b2ae35u;
  return w ^ (w >> 16u);
}

fn hashOf(place: u32, sequence: u32, step: u32) -> u32 {
  let key = mix(sequence + step * 0x9e3779b9u);
  // Mixed twice: once alone, the masks of two steps would be one mask in another order.
  return mix(mix(place ^ key) + key);
}

