// Which elements dropout keeps: a hash of key, step and place says so, for one place or for four at a time.
// mix is MurmurHash3's mixer (Appleby 2011).
fn mix(word: Bits) -> Bits {
  var w = (word ^ (word >> Bits(16u))) * 0x85ebca6bu;
  w = (w ^ (w >> Bits(13u))) * 0xc2b2ae35u;
  return w ^ (w >> Bits(16u));
}

// Of all 2^32 hashes, those below a share drop their element.
fn dropoutHash(place: Bits, key: u32, step: u32) -> Bits {
  let mixed = mix(Bits(key + step * 0x9e3779b9u));
  // Mixed twice: once alone, the masks of two steps would be one mask in another order.
  return mix(mix(place ^ mixed) + mixed);
}
